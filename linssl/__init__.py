"""linssl: exactly solvable self-supervised learning. This is the contents page.

The names of the road are here; everything else is in its room: `linssl.augmentations.Dropout`,
`linssl.theory.water_filling`, `linssl.objectives.plda`.
"""

from importlib.metadata import version as _version

from linssl import augmentations as augmentations
from linssl import comparison as comparison
from linssl import data as data
from linssl import designs as designs
from linssl import diagnosis as diagnosis
from linssl import linalg as linalg
from linssl import metrics as metrics
from linssl import moments as moments
from linssl import objectives as objectives
from linssl import pairs as pairs
from linssl import populations as populations
from linssl import recommendation as recommendation
from linssl import runtime as runtime
from linssl import sweep as sweep
from linssl import theory as theory
from linssl.augmentations import AlignedNoise as AlignedNoise
from linssl.augmentations import Augmentation as Augmentation
from linssl.augmentations import GaussianNoise as GaussianNoise
from linssl.augmentations import augment as augment
from linssl.augmentations import augment_sides as augment_sides
from linssl.augmentations import compose as compose
from linssl.augmentations import two_views as two_views
from linssl.augmentations import view_and_clean as view_and_clean
from linssl.comparison import compare as compare
from linssl.data import load_dataset as load_dataset
from linssl.data import load_moments as load_moments
from linssl.data import save_moments as save_moments
from linssl.designs import design as design
from linssl.diagnosis import diagnose as diagnose
from linssl.linalg.status import Status as Status
from linssl.metrics import probe_r2 as probe_r2
from linssl.metrics import subspace_distance as subspace_distance
from linssl.moments import PairMoments as PairMoments
from linssl.moments import Views as Views
from linssl.moments import merge as merge
from linssl.objectives import Solution as Solution
from linssl.objectives import canonical_correlation as canonical_correlation
from linssl.objectives import check as check
from linssl.objectives import explain as explain
from linssl.objectives import identified as identified
from linssl.objectives import joint_embedding as joint_embedding
from linssl.objectives import reconstruction as reconstruction
from linssl.objectives import simvae as simvae
from linssl.objectives import supervised as supervised
from linssl.pairs import same_class as same_class
from linssl.pairs import same_instance as same_instance
from linssl.pairs import with_label as with_label
from linssl.populations import NoisyData as NoisyData
from linssl.recommendation import recommend as recommend
from linssl.sweep import Sweep as Sweep
from linssl.sweep import open_sweep as open_sweep
from linssl.sweep import run_sweep as run_sweep
from linssl.theory import alignment_thresholds as alignment_thresholds

__version__ = _version("linssl")
