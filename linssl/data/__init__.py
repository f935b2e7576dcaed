"""Data and moments in files, and named data sets."""

from linssl.data.corruptions import corrupt as corrupt
from linssl.data.files import read_arrays as read_arrays
from linssl.data.images import channels_last as channels_last
from linssl.data.named import Dataset as Dataset
from linssl.data.named import load_dataset as load_dataset
from linssl.data.saving import load_moments as load_moments
from linssl.data.saving import save_moments as save_moments
from linssl.data.sources import Source as Source
from linssl.data.sources import open_source as open_source
