"""Numbers as people write them: no powers of ten, no digits that nobody reads."""

import math

LEAST = 1e-6  # share that is more than nothing
HUGE = 1e15  # from here on an exponent is easier to read than the zeros


def plain(value: float | int, digits: int = 3) -> str:
    """Write a number with a few digits: 0.0123, 6.5, 1,000,000."""
    if not math.isfinite(value) or abs(value) >= HUGE:
        return f"{value:.{digits}g}"
    if value == 0:
        return "0"
    after = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:,.{after}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float) -> str:
    """Write a share with two digits, and none for what is as good as nothing."""
    return "0 %" if share < LEAST else f"{plain(100 * share, 2)} %"
