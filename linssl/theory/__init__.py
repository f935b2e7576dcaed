"""What needs no pair: thresholds, read from spectra."""

from linssl.theory.pairing import PairingThresholds as PairingThresholds
from linssl.theory.pairing import pairing_thresholds as pairing_thresholds
from linssl.theory.spill import AlignmentInterval as AlignmentInterval
from linssl.theory.spill import alignment_interval as alignment_interval
from linssl.theory.thresholds import AlignmentThresholds as AlignmentThresholds
from linssl.theory.thresholds import MagnitudeRegime as MagnitudeRegime
from linssl.theory.thresholds import alignment_thresholds as alignment_thresholds
from linssl.theory.thresholds import magnitude_regime as magnitude_regime
