"""Each objective has a colour of its own, with any common colour blindness."""

from itertools import combinations

import numpy as np
from matplotlib.colors import to_rgb

from linssl.plotting import COLOURS

# What an eye without one kind of cone sees, in linear RGB. Source: Machado, Oliveira, Fernandes
# (2009), severity 1: protanopia, deuteranopia, tritanopia.
EYES = np.array(
    [
        np.eye(3),
        [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
        [[0.3673, 0.8607, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
        [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
    ]
)
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1, 1.089])
APART = 14  # in CIELAB; 2.3 can just be seen, and the least of Okabe and Ito's own eight is 14.6


def seen(colour, eye):
    """Return L, a and b."""
    c = np.array(to_rgb(colour))
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    share = TO_XYZ @ np.clip(eye @ linear, 0, 1) / WHITE
    x, y, z = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_no_two_objectives_look_alike():
    for eye in EYES:
        for (a, first), (b, second) in combinations(COLOURS.items(), 2):
            assert np.linalg.norm(seen(first, eye) - seen(second, eye)) > APART, (a, b)
