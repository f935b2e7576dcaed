"""One script a figure: parameters, one sweep, one plot."""
