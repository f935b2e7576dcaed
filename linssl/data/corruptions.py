r"""Corruptions of images at severities 1 to 5: what a benchmark of robustness adds to clean ones.

Sizes scale with the image, so that 8 x 8 digits and 28 x 28 ones are corrupted alike.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Num

from linssl.arguments import on_host, require_whole

SEVERITIES = 5
ROUNDING = 1e-6  # of pixels, such as those that were resized
NOISE = (0.08, 0.12, 0.18, 0.26, 0.38)  # standard deviations, of pixels in [0, 1]
PIXELS = (0.6, 0.5, 0.4, 0.3, 0.25)  # sides of the coarse image, as a share
ZOOMS = ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))  # last, step
SMOOTH = 1 / 7  # width of the background's filter, in sides: 4 pixels of 28

Images = Float[np.ndarray, "n height width"]
Coloured = Float[np.ndarray, "n height width channels"]


def corrupt(
    images: Num[np.ndarray, "n height width *channels"], kind: str, severity: int, seed: int = 0
) -> Images | Coloured:
    r"""Corrupt images with pixels in [0, 1], each channel by draws of its own.

    Args:
        images: (n, height, width), or (n, height, width, channels).
        kind: `gaussian_noise` (independent on each pixel), `pixelate` (averaged in coarse
            pixels), `zoom_blur` (the mean over zooms into the centre), or `background` (smooth
            noise behind everything: white noise under a Gaussian filter of a seventh of a side,
            of standard deviation severity / 5).
        severity: 1 to 5.
        seed: of what is random.

    Returns:
        As `images`, not clipped, so that what is added stays of the stated size.

    Raises:
        ValueError: other than three or four axes, pixels outside [0, 1], an unknown kind, or
            another severity.

    Source: Hendrycks2019, in its linear and unclipped form.
    """
    x = on_host(images, "images").astype(float)
    if x.ndim not in (3, 4) or 0 in x.shape:
        raise ValueError(
            f"images must be (n, height, width), or with channels last; got {x.shape}."
        )
    if x.min() < -ROUNDING or x.max() > 1 + ROUNDING or np.isnan(x).any():
        raise ValueError(
            f"images must have pixels in [0, 1]; got {x.min():g} to {x.max():g}: scale them first, "
            "such as 8-bit pixels by / 255."
        )
    if kind not in CORRUPTIONS:
        raise ValueError(f"kind must be one of {', '.join(CORRUPTIONS)}; got {kind!r}.")
    require_whole("severity", severity, 1, SEVERITIES)
    rng = np.random.default_rng(seed)
    if x.ndim == 3:
        return CORRUPTIONS[kind](x, severity, rng)
    n, height, width, channels = x.shape
    grey = np.moveaxis(x, 3, 1).reshape(n * channels, height, width)
    found = CORRUPTIONS[kind](grey, severity, rng)
    return np.moveaxis(found.reshape(n, channels, height, width), 1, 3)


def _gaussian_noise(x: Images, severity: int, rng: np.random.Generator) -> Images:
    return x + NOISE[severity - 1] * rng.standard_normal(x.shape)


def _background(x: Images, severity: int, rng: np.random.Generator) -> Images:
    from scipy.ndimage import gaussian_filter

    sides = np.array(x.shape[1:])
    noise = gaussian_filter(rng.standard_normal(x.shape), (0, *(SMOOTH * sides)), mode="wrap")
    return x + severity / SEVERITIES * noise / noise.std()


def _pixelate(x: Images, severity: int, rng: np.random.Generator) -> Images:
    del rng
    for axis in (1, 2):
        side = x.shape[axis]
        coarse = max(1, round(side * PIXELS[severity - 1]))
        x = np.moveaxis(np.tensordot(_averages(side, coarse), x, (1, axis)), 0, axis)
    return x


def _averages(side: int, coarse: int) -> Float[np.ndarray, "side side"]:
    """Average over coarse pixels, which may share a fine one, and repeat the averages."""
    edges = np.linspace(0, side, coarse + 1)
    pixel = np.arange(side)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    down = np.maximum(overlap, 0) * coarse / side
    up = down.T / down.T.sum(1, keepdims=True)
    return up @ down


def _zoom_blur(x: Images, severity: int, rng: np.random.Generator) -> Images:
    del rng
    last, step = ZOOMS[severity - 1]
    zooms = np.arange(1, last, step)
    blurred = np.zeros_like(x)
    for zoom in zooms:
        R, K = (_zoomed(side, zoom) for side in x.shape[1:])
        blurred += R @ x @ K.T  # two products of small matrices, and one image set at a time
    return blurred / len(zooms)


def _zoomed(side: int, zoom: float) -> Float[np.ndarray, "side side"]:
    """Zoom into the middle of a line, linearly interpolated."""
    at = (np.arange(side) + 0.5 - side / 2) / zoom + side / 2 - 0.5
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(side)))


CORRUPTIONS: dict[str, Callable[[Images, int, np.random.Generator], Images]] = {
    "gaussian_noise": _gaussian_noise,
    "pixelate": _pixelate,
    "zoom_blur": _zoom_blur,
    "background": _background,
}
