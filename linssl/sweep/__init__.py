"""Sweeps: a function of one cell, batched over many."""

from linssl.sweep.batching import grid as grid
from linssl.sweep.batching import over_cells as over_cells
