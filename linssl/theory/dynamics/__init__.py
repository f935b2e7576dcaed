"""How linear encoders learn: closed-form trajectories, learning times and the order of features."""

from linssl.theory.dynamics.barlow_twins import BarlowTwinsTrajectory as BarlowTwinsTrajectory
from linssl.theory.dynamics.barlow_twins import barlow_twins_dynamics as barlow_twins_dynamics
from linssl.theory.dynamics.byol import ByolFixedPoints as ByolFixedPoints
from linssl.theory.dynamics.byol import byol_fixed_points as byol_fixed_points
from linssl.theory.dynamics.crossing import LearningCrossing as LearningCrossing
from linssl.theory.dynamics.crossing import learning_crossing as learning_crossing
from linssl.theory.dynamics.denoising import DenoisingTrajectory as DenoisingTrajectory
from linssl.theory.dynamics.denoising import denoising_dynamics as denoising_dynamics
from linssl.theory.dynamics.modes import AlignedModes as AlignedModes
from linssl.theory.dynamics.modes import aligned_modes as aligned_modes
from linssl.theory.dynamics.predictive import JEPATrajectory as JEPATrajectory
from linssl.theory.dynamics.predictive import MAETrajectory as MAETrajectory
from linssl.theory.dynamics.predictive import jepa_dynamics as jepa_dynamics
from linssl.theory.dynamics.predictive import mae_dynamics as mae_dynamics
from linssl.theory.dynamics.trajectory import Trajectory as Trajectory
