"""What needs no pair: thresholds, finite samples, dynamics and latents, read from spectra."""

from linssl.theory.dynamics import AlignedModes as AlignedModes
from linssl.theory.dynamics import BarlowTwinsTrajectory as BarlowTwinsTrajectory
from linssl.theory.dynamics import ByolFixedPoints as ByolFixedPoints
from linssl.theory.dynamics import DenoisingTrajectory as DenoisingTrajectory
from linssl.theory.dynamics import JEPATrajectory as JEPATrajectory
from linssl.theory.dynamics import LearningCrossing as LearningCrossing
from linssl.theory.dynamics import MAETrajectory as MAETrajectory
from linssl.theory.dynamics import Trajectory as Trajectory
from linssl.theory.dynamics import aligned_modes as aligned_modes
from linssl.theory.dynamics import barlow_twins_dynamics as barlow_twins_dynamics
from linssl.theory.dynamics import byol_fixed_points as byol_fixed_points
from linssl.theory.dynamics import denoising_dynamics as denoising_dynamics
from linssl.theory.dynamics import jepa_dynamics as jepa_dynamics
from linssl.theory.dynamics import learning_crossing as learning_crossing
from linssl.theory.dynamics import mae_dynamics as mae_dynamics
from linssl.theory.finite_samples import DetectionThreshold as DetectionThreshold
from linssl.theory.finite_samples import SpikedDetection as SpikedDetection
from linssl.theory.finite_samples import SpikedPrediction as SpikedPrediction
from linssl.theory.finite_samples import detection_threshold as detection_threshold
from linssl.theory.finite_samples import labelled_probe_risk as labelled_probe_risk
from linssl.theory.finite_samples import spiked_joint_embedding as spiked_joint_embedding
from linssl.theory.finite_samples import spiked_pca as spiked_pca
from linssl.theory.finite_samples import spiked_reconstruction as spiked_reconstruction
from linssl.theory.latents import GaussianCritic as GaussianCritic
from linssl.theory.latents import LatentUse as LatentUse
from linssl.theory.latents import NormBudget as NormBudget
from linssl.theory.latents import RescueThresholds as RescueThresholds
from linssl.theory.latents import TwoModes as TwoModes
from linssl.theory.latents import bilinear_value as bilinear_value
from linssl.theory.latents import exchange_rate as exchange_rate
from linssl.theory.latents import l0_gate as l0_gate
from linssl.theory.latents import mutual_information as mutual_information
from linssl.theory.latents import norm_budget as norm_budget
from linssl.theory.latents import optimal_critic as optimal_critic
from linssl.theory.latents import rescue_thresholds as rescue_thresholds
from linssl.theory.latents import two_modes as two_modes
from linssl.theory.latents import water_filling as water_filling
from linssl.theory.thresholds import AlignmentInterval as AlignmentInterval
from linssl.theory.thresholds import FamilyThresholds as FamilyThresholds
from linssl.theory.thresholds import GapScale as GapScale
from linssl.theory.thresholds import PairingThresholds as PairingThresholds
from linssl.theory.thresholds import alignment_interval as alignment_interval
from linssl.theory.thresholds import collapse_prices as collapse_prices
from linssl.theory.thresholds import family_thresholds as family_thresholds
from linssl.theory.thresholds import gap_scale as gap_scale
from linssl.theory.thresholds import pairing_thresholds as pairing_thresholds
from linssl.theory.thresholds.alignment import AlignmentThresholds as AlignmentThresholds
from linssl.theory.thresholds.alignment import MagnitudeRegime as MagnitudeRegime
from linssl.theory.thresholds.alignment import (
    alignment_thresholds as alignment_thresholds,
)
from linssl.theory.thresholds.alignment import magnitude_regime as magnitude_regime
