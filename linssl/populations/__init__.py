"""Where x comes from without data: populations, and exact draws of their sample moments."""

from linssl.populations.content_style import Problem as Problem
from linssl.populations.content_style import content_style as content_style
from linssl.populations.noisy_data import NoisyData as NoisyData
from linssl.populations.noisy_data import NoisyMoments as NoisyMoments
from linssl.populations.spiked import Draw as Draw
from linssl.populations.spiked import MomentDraw as MomentDraw
from linssl.populations.spiked import Spiked as Spiked
from linssl.populations.wishart import gaussian_moments as gaussian_moments
from linssl.populations.wishart import noisy_moments as noisy_moments
from linssl.populations.wishart import wishart_root as wishart_root
