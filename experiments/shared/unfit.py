"""What an experiment raises where the data aren't for it."""


class UnfitError(ValueError):
    """The data aren't of the kind that a figure is about; others can still be drawn."""
