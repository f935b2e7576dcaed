"""Where x comes from: populations, files, named data sets."""

from linssl.data.corruptions import corrupt as corrupt
from linssl.data.exact import gaussian_moments as gaussian_moments
from linssl.data.exact import noisy_moments as noisy_moments
from linssl.data.exact import wishart_root as wishart_root
from linssl.data.files import read_arrays as read_arrays
from linssl.data.named import Dataset as Dataset
from linssl.data.named import load_dataset as load_dataset
from linssl.data.noisy import NoisyData as NoisyData
from linssl.data.noisy import NoisyMoments as NoisyMoments
from linssl.data.spiked import Draw as Draw
from linssl.data.spiked import MomentDraw as MomentDraw
from linssl.data.spiked import Spiked as Spiked
