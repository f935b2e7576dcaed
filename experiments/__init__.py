"""One script a figure: parameters, one sweep, one plot; `shared` has what they share."""
