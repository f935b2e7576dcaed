"""What needs no pair: thresholds, read from spectra."""

from linssl.theory.adassl import LatentUse as LatentUse
from linssl.theory.adassl import RescueThresholds as RescueThresholds
from linssl.theory.adassl import rescue_thresholds as rescue_thresholds
from linssl.theory.adassl import water_filling as water_filling
from linssl.theory.critics import GaussianCritic as GaussianCritic
from linssl.theory.critics import bilinear_value as bilinear_value
from linssl.theory.critics import mutual_information as mutual_information
from linssl.theory.critics import optimal_critic as optimal_critic
from linssl.theory.exchange import exchange_rate as exchange_rate
from linssl.theory.gate import l0_gate as l0_gate
from linssl.theory.norm_budget import NormBudget as NormBudget
from linssl.theory.norm_budget import norm_budget as norm_budget
from linssl.theory.pairing import PairingThresholds as PairingThresholds
from linssl.theory.pairing import pairing_thresholds as pairing_thresholds
from linssl.theory.scale import GapScale as GapScale
from linssl.theory.scale import gap_scale as gap_scale
from linssl.theory.spill import AlignmentInterval as AlignmentInterval
from linssl.theory.spill import alignment_interval as alignment_interval
from linssl.theory.thresholds import AlignmentThresholds as AlignmentThresholds
from linssl.theory.thresholds import MagnitudeRegime as MagnitudeRegime
from linssl.theory.thresholds import alignment_thresholds as alignment_thresholds
from linssl.theory.thresholds import magnitude_regime as magnitude_regime
from linssl.theory.two_modes import TwoModes as TwoModes
from linssl.theory.two_modes import two_modes as two_modes
