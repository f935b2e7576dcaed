"""What experiments share: options, data, sweeps, tables and the road to a figure."""

from experiments.shared.corrupted import corrupted as corrupted
from experiments.shared.images import load_images as load_images
from experiments.shared.options import Options as Options
from experiments.shared.probe import probe as probe
from experiments.shared.result import Result as Result
from experiments.shared.rotation import rotation as rotation
from experiments.shared.samples import clean_data as clean_data
from experiments.shared.samples import draw_moments as draw_moments
from experiments.shared.script import make as make
from experiments.shared.script import run as run
from experiments.shared.setting import BASE_NOISE as BASE_NOISE
from experiments.shared.setting import BASE_SIGNAL as BASE_SIGNAL
from experiments.shared.setting import NOISE_LABEL as NOISE_LABEL
from experiments.shared.setting import NOISE_RANGES as NOISE_RANGES
from experiments.shared.shifted import shifted as shifted
from experiments.shared.signal import Signal as Signal
from experiments.shared.signal import load_signal as load_signal
from experiments.shared.sweeping import sweep as sweep
from experiments.shared.sweeping import table as table
from experiments.shared.tables import parts as parts
from experiments.shared.tables import rows as rows
from experiments.shared.tables import tidy as tidy
from experiments.shared.tables import with_errors as with_errors
from experiments.shared.training import descend as descend
