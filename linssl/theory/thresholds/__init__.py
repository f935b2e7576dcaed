"""How much alignment each objective needs to keep exactly the signal."""

from linssl.theory.thresholds.alignment import AlignmentThresholds as AlignmentThresholds
from linssl.theory.thresholds.alignment import MagnitudeRegime as MagnitudeRegime
from linssl.theory.thresholds.alignment import (
    alignment_thresholds as alignment_thresholds,
)
from linssl.theory.thresholds.alignment import magnitude_regime as magnitude_regime
from linssl.theory.thresholds.gap_scale import GapScale as GapScale
from linssl.theory.thresholds.gap_scale import gap_scale as gap_scale
from linssl.theory.thresholds.noise_on_signal import (
    AlignmentInterval as AlignmentInterval,
)
from linssl.theory.thresholds.noise_on_signal import (
    alignment_interval as alignment_interval,
)
from linssl.theory.thresholds.pairing import PairingThresholds as PairingThresholds
from linssl.theory.thresholds.pairing import pairing_thresholds as pairing_thresholds
from linssl.theory.thresholds.relatives import FamilyThresholds as FamilyThresholds
from linssl.theory.thresholds.relatives import collapse_prices as collapse_prices
from linssl.theory.thresholds.relatives import family_thresholds as family_thresholds
