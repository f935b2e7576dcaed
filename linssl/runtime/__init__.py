"""Where and how things run: devices and threads, batches of cells, optional packages, progress."""

from linssl.runtime.batching import grid as grid
from linssl.runtime.batching import over_cells as over_cells
