"""Where x comes from: populations, files, named data sets."""

from linssl.data.files import read_arrays as read_arrays
from linssl.data.named import Dataset as Dataset
from linssl.data.named import load_dataset as load_dataset
from linssl.data.spiked import Draw as Draw
from linssl.data.spiked import Spiked as Spiked
