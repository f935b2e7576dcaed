"""What a latent variable buys, and at which price: AdaSSL, critics, SimVAE."""

from linssl.theory.latents.critics import GaussianCritic as GaussianCritic
from linssl.theory.latents.critics import bilinear_value as bilinear_value
from linssl.theory.latents.critics import mutual_information as mutual_information
from linssl.theory.latents.critics import optimal_critic as optimal_critic
from linssl.theory.latents.l0_gate import l0_gate as l0_gate
from linssl.theory.latents.norm_budget import NormBudget as NormBudget
from linssl.theory.latents.norm_budget import norm_budget as norm_budget
from linssl.theory.latents.price_of_style import exchange_rate as exchange_rate
from linssl.theory.latents.two_modes import TwoModes as TwoModes
from linssl.theory.latents.two_modes import two_modes as two_modes
from linssl.theory.latents.water_filling import LatentUse as LatentUse
from linssl.theory.latents.water_filling import RescueThresholds as RescueThresholds
from linssl.theory.latents.water_filling import rescue_thresholds as rescue_thresholds
from linssl.theory.latents.water_filling import water_filling as water_filling
