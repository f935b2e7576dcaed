"""The explorer: every quantity of the model under a slider, in a browser."""
