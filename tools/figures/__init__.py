"""The figures that are kept: their gallery, their making, and the comparison with new ones."""
