"""Doors from arrays to moments: pairs, augmentations, and moments themselves."""

import itertools
from collections.abc import Callable
from typing import Any

import any_arrays
import jax
import jax.numpy as jnp
import long_double as ld
import numpy as np
from any_arrays import Thrown, read, sound
from doors import (
    REFUSED,
    STEPS,
    Door,
    Found,
    Rows,
    Want,
    beside,
    noise_of,
    of_rows,
    range_of,
    rows_of,
)

import linssl
from linssl import augmentations as au
from linssl import pairs

Law = tuple[list[tuple[float, np.ndarray, np.ndarray]], np.ndarray]  # (share, A, b); noise


def views_found(views: linssl.Views) -> Found:
    return {
        "shared": _full(views.shared),
        "spread": _full(views.spread),
        "mean": views.mean,
        "precision": jnp.finfo(views.shared.dtype).bits,
    }, 0


def pair_found(pair: linssl.PairMoments) -> Found:
    return {
        "first": _full(pair.first),
        "second": _full(pair.second),
        "cross": _full(pair.cross),
        "mean_first": pair.mean_first,
        "mean_second": pair.mean_second,
        "precision": jnp.finfo(pair.first.dtype).bits,
    }, 0


def _full(moment: Any) -> Any:
    return np.diag(moment) if moment.ndim == 1 else moment


def _bits(rows: Rows) -> tuple[int, int]:
    return np.finfo(rows.dtype).bits, 0


def views_wanted(rows: Rows, shared: Any = None, spread: Any = 0, mean: Any = None, size: Any = 0):
    """Return what two views have; `size` is what else a spread is rounded by, squared."""
    shared, mean = rows.S if shared is None else shared, rows.mean if mean is None else mean
    spread = np.zeros_like(rows.S) if np.ndim(spread) == 0 else spread
    wide = np.maximum(np.sqrt(np.abs(np.diagonal(shared))), rows.deviation)
    noise = STEPS * rows.eps * (np.outer(wide, wide) + size + np.abs(spread))
    return {
        "shared": (shared, STEPS * rows.eps * np.outer(wide, wide)),
        "spread": (spread, noise if np.any(spread) else 0),
        "mean": (mean, STEPS * rows.eps * (np.abs(mean) + np.abs(rows.mean) + rows.deviation)),
        "precision": _bits(rows),
    }


def _within(rows: Rows) -> np.ndarray:
    """Return the covariance within two batches, every other row in one, without bias."""
    batches = [rows.X[start::2] for start in (0, 1)]
    around = [x - x.mean(0) for x in batches]
    return sum(len(x) / (len(rows.X) * (len(x) - 1)) * x.T @ x for x in around)


def pair_wanted(first: Rows, second: Rows, spread: Any = 0) -> dict[str, tuple[Any, Any]]:
    """Return what a pair of sides has, the first with noise of some covariance."""
    dtype = np.result_type(first.dtype, second.dtype)
    eps = float(np.finfo(dtype).eps)
    _, _, cross, *_ = ld.moments(first.X, second.X)
    d, e = first.deviation, second.deviation
    noisy = first.S + spread
    return {
        "first": (noisy, STEPS * eps * (np.outer(d, d) + np.abs(spread))),
        "second": (second.S, STEPS * eps * np.outer(e, e)),
        "cross": (cross, STEPS * eps * np.outer(d, e)),
        "mean_first": (first.mean, STEPS * eps * (np.abs(first.mean) + d)),
        "mean_second": (second.mean, STEPS * eps * (np.abs(second.mean) + e)),
        "precision": (np.finfo(dtype).bits, 0),
    }


def two_sides(second: Callable[[Thrown], Any], finest: bool, spread: Callable | None = None):
    """Return the want of a pair: data, and another side."""

    def want(case: Thrown) -> Want:
        first = rows_of(case.x)
        if first is None:
            return REFUSED
        values = second(case)
        came = (case.x, values) if finest else (case.x,)
        dtype = any_arrays.kept(*came)
        sides = [rows_of(side, dtype) for side in (case.x, values)]
        if sides[0] is None or sides[1] is None or range_of(*sides) == "lost":
            return REFUSED
        noise = np.diag(spread(case)).astype(np.longdouble) if spread else 0
        return Want(pair_wanted(*sides, noise), border=range_of(*sides) == "border")

    return want


def noise(case: Thrown) -> au.GaussianNoise:
    return au.GaussianNoise(noise_of(case))


def _of_noise(rows: Rows, case: Thrown) -> dict[str, tuple[Any, Any]]:
    return views_wanted(rows, spread=np.diag(noise_of(case)).astype(np.longdouble))


def of_case(numbers: Callable[[Rows, Thrown], dict[str, tuple[Any, Any]]], least: int = 1):
    """Return the want of a function of data, with what else the input says."""
    return lambda case: of_rows(lambda rows: numbers(rows, case), least)(case)


# Augmentations as finite families of affine maps, and noise: nothing is taken from the library.
def _eye(d: int) -> np.ndarray:
    return np.eye(d, dtype=np.longdouble)


def _masks(d: int, law: Callable[[tuple[int, ...]], float], rescaled: float = 1) -> Law:
    every = list(itertools.product((0, 1), repeat=d))
    return [(law(m), np.diag(np.array(m, np.longdouble)) / rescaled, np.zeros(d)) for m in every], (
        np.zeros((d, d))
    )


def _moves(images: list[np.ndarray], shares: Any = None) -> Law:
    """Return maps from the pixels that each of the moved images shows; -1 is none."""
    d = images[0].size
    shares = np.full(len(images), np.longdouble(1) / len(images)) if shares is None else shares
    maps = []
    for share, image in zip(shares, images, strict=True):
        A = np.zeros((d, d), np.longdouble)
        for i, source in enumerate(image.ravel()):
            if source >= 0:
                A[i, source] = 1
        maps.append((share, A, np.zeros(d)))
    return maps, np.zeros((d, d))


def _index(d: int) -> np.ndarray:
    return np.arange(d).reshape(_image(d))


def _image(d: int) -> tuple[int, int]:
    return (2, 2) if d == 4 else (1, d)


def _shifted(d: int, down: int, right: int) -> np.ndarray:
    index = _index(d)
    h, w = index.shape
    found = np.full(index.shape, -1)
    for i in range(h):
        for j in range(w):
            if 0 <= i - down < h and 0 <= j - right < w:
                found[i, j] = index[i - down, j - right]
    return found


def _scaled(d: int, low: float, high: float) -> Law:
    # Two points of Gauss: exact for a mean and a variance.
    middle, half = (low + high) / 2, (high - low) / 2 / np.sqrt(np.longdouble(3))
    points = (middle - half, middle + half)
    return [(0.5, a * _eye(d), np.zeros(d)) for a in points], np.zeros((d, d))


def _blurred(d: int, widths: tuple[float, ...]) -> Law:
    h, w = _image(d)

    def kernel(side: int, width: float) -> np.ndarray:
        at = np.arange(side, dtype=np.longdouble)
        weight = np.exp(-((at[:, None] - at) ** 2) / (2 * np.longdouble(width) ** 2))
        return weight / weight.sum(1, keepdims=True)

    maps = [np.kron(kernel(h, s), kernel(w, s)) for s in widths]
    return [(1 / np.longdouble(len(maps)), A, np.zeros(d)) for A in maps], np.zeros((d, d))


PATCHES = {1: [0], 3: [0, 1, 1], 4: [0, 1, 1, 2]}


def _patchwise(d: int, law: Callable[[tuple[int, ...]], float]) -> Law:
    patches = np.array(PATCHES[d])
    every = itertools.product((0, 1), repeat=patches.max() + 1)
    maps = [(law(m), np.diag(np.array(m, np.longdouble)[patches]), np.zeros(d)) for m in every]
    return maps, np.zeros((d, d))


def _kept_of(P: int, K: int) -> Callable[[tuple[int, ...]], float]:
    number = sum(sum(m) == K for m in itertools.product((0, 1), repeat=P))
    return lambda m: np.longdouble(sum(m) == K) / number


def _share(q: float) -> Callable[[tuple[int, ...]], float]:
    return lambda m: np.longdouble(q) ** sum(m) * (1 - np.longdouble(q)) ** (len(m) - sum(m))


def _alone(d: int, covariance: np.ndarray) -> Law:
    return [(1, _eye(d), np.zeros(d))], covariance


def _three(d: int) -> np.ndarray:
    return np.random.default_rng(5).standard_normal((3, d, d))


SHARES = np.array([0.25, 0.25, 0.5])
WEIGHTS = np.array([[1, 0.5, 2, 0], [0.25, 1, -1, 1]])


def _composed(d: int) -> tuple[au.Augmentation, Law]:
    """Return dropout after a matrix that is drawn, and noise after both."""
    first, _ = _mixed_matrices(d)
    masks, zero = _masks(d, _share(0.75))
    maps = [(p * q, B @ A, zero[0]) for p, A, _ in first for q, B, _ in masks]
    parts = au.Matrices(_three(d), SHARES), au.Dropout(0.75), au.Offset(0.5)
    return au.compose(*parts), (maps, 0.5 * np.ones((d, d)))


def _mixed_matrices(d: int) -> Law:
    maps = [
        (p, A.astype(np.longdouble), np.zeros(d)) for p, A in zip(SHARES, _three(d), strict=True)
    ]
    return maps, np.zeros((d, d))


FAMILIES: dict[str, Callable[[int], tuple[au.Augmentation, Law]]] = {
    "Dropout": lambda d: (au.Dropout(0.75), _masks(d, _share(0.75))),
    "Dropout, rescaled": lambda d: (au.Dropout(0.75, True), _masks(d, _share(0.75), 0.75)),
    "RandomMask": lambda d: (
        au.RandomMask(WEIGHTS[:, :d], [0.25, 0.75]),
        (
            [
                (p, np.diag(m[:d]).astype(np.longdouble), np.zeros(d))
                for p, m in zip((0.25, 0.75), WEIGHTS, strict=True)
            ],
            np.zeros((d, d)),
        ),
    ),
    "PatchMask": lambda d: (au.PatchMask(PATCHES[d], 0.5), _patchwise(d, _share(0.5))),
    "FixedCountMask": lambda d: (
        au.FixedCountMask(PATCHES[d], 1),
        _patchwise(d, _kept_of(max(PATCHES[d]) + 1, 1)),
    ),
    "Matrices": lambda d: (au.Matrices(_three(d), SHARES), _mixed_matrices(d)),
    "Mixture": lambda d: (
        au.Mixture([au.Brightness(0.5, 1.5), au.Dropout(0.5)], [0.25, 0.75]),
        (
            [
                (p * q, A, b)
                for p, law in ((0.25, _scaled(d, 0.5, 1.5)), (0.75, _masks(d, _share(0.5))))
                for q, A, b in law[0]
            ],
            np.zeros((d, d)),
        ),
    ),
    "Brightness": lambda d: (au.Brightness(0.5, 2.0), _scaled(d, 0.5, 2.0)),
    "Offset": lambda d: (au.Offset(0.5), _alone(d, 0.5 * np.ones((d, d)))),
    "AlignedNoise": lambda d: (
        au.AlignedNoise(np.full(d, 0.5), np.arange(d, dtype=float), 2.0),
        _alone(d, np.diag(0.5 + 4.0 * np.arange(d))),
    ),
    "compose": _composed,
    "cyclic_shifts": lambda d: (
        au.cyclic_shifts((2, 2), 1),
        _moves([np.roll(_index(4), (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)]),
    ),
    "flip": lambda d: (
        au.flip(_image(d), 0.25),
        _moves([_index(d), _index(d)[:, ::-1]], (0.75, 0.25)),
    ),
    "quarter_turns": lambda d: (
        au.quarter_turns((2, 2)),
        _moves([np.rot90(_index(4), k) for k in range(4)]),
    ),
    "shifts": lambda d: (
        au.shifts((2, 2), 1),
        _moves([_shifted(4, i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]),
    ),
    "blurs": lambda d: (au.blurs(_image(d), [0.5, 2.0]), _blurred(d, (0.5, 2.0))),
    "crops": lambda d: (
        au.crops((2, 2), [[0, 0, 2, 2], [0, 0, 1, 1], [1, 0, 1, 2]]),
        _moves([_index(4), np.zeros((2, 2), int), np.array([[2, 3], [2, 3]])]),
    ),
    "PixelMoves": lambda d: (
        au.PixelMoves([np.arange(d), np.full(d, -1)], [0.5, 0.5]),
        _moves([np.arange(d), np.full(d, -1)]),
    ),
}
SQUARE = ("quarter_turns", "shifts", "crops", "cyclic_shifts")


def spread_by(law: Law, S: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return G, Sigma and the mean of views of rows under a law, and the size of what is added."""
    maps, own = law
    A = sum(p * M for p, M, _ in maps)
    b = sum(p * shift for p, _, shift in maps)
    spread = own.astype(np.longdouble)
    size = np.abs(spread)
    for p, M, shift in maps:
        D, step = M - A, (M - A) @ mean + shift - b
        spread = spread + p * (D @ S @ D.T + np.outer(step, step))
        rms = (np.abs(M) + np.abs(A)) @ (np.sqrt(np.diagonal(S)) + np.abs(mean)) + np.abs(shift)
        size = size + p * np.outer(rms, rms)
    return A @ S @ A.T, spread, A @ mean + b, size


def family(name: str) -> Door:
    def call(case: Thrown) -> Found:
        return views_found(linssl.two_views(case.x, FAMILIES[name](case.shape[1] or 1)[0]))

    def numbers(rows: Rows, case: Thrown) -> dict[str, tuple[Any, Any]]:
        shared, spread, mean, size = spread_by(FAMILIES[name](case.shape[1])[1], rows.S, rows.mean)
        wanted = views_wanted(rows, shared, spread, mean, size)
        # Maps that differ add what every feature has: all are rounded alike.
        largest = max(float(np.abs(rows.S).max()), float(np.abs(shared).max()))
        maps = FAMILIES[name](case.shape[1])[1][0]
        turned = any(np.any(np.diag(np.diagonal(A)) != A) for _, A, _ in maps)
        if turned:
            wanted["shared"] = shared, STEPS * rows.eps * 10 * largest
            wanted["spread"] = spread, STEPS * rows.eps * 10 * float(size.max())
            wanted["mean"] = mean, STEPS * rows.eps * 10 * float(np.sqrt(size.max()))
        return wanted

    def accepts(shape: tuple[int, int]) -> bool:
        if name in SQUARE:
            return shape[1] == 4
        return not (name in ("FixedCountMask", "flip", "PixelMoves") and shape[1] == 1)

    def want(case: Thrown) -> Want:
        found = of_case(numbers)(case)
        if not found.numbers:
            return found
        # Sums of such squares are infinite on their way: NOT_FINITE, to whatever whitens them.
        top = float(np.finfo(any_arrays.kept(case.x)).max) / 4
        beyond = max(np.abs(found.numbers[k][0]).max() for k in ("shared", "spread")) > top
        return Want({}, clear=False, border=True) if beyond else found

    return Door(call, want, accepts)


def mixup() -> Door:
    low = 0.25
    mean_share, square = (1 + low) / 2, (1 - low) ** 2 * (1 / 12 + 1 / 3)

    def numbers(rows: Rows) -> dict[str, tuple[Any, Any]]:
        return views_wanted(rows, mean_share**2 * rows.S, square * rows.S)

    return Door(lambda c: views_found(linssl.two_views(c.x, au.Mixup(low))), of_rows(numbers))


# What families take themselves.
def spd(case: Thrown) -> np.ndarray:
    """Return a covariance (d, d), or a diagonal (d,), of the kind that the numbers are of."""
    d, rng = case.shape[1], case.rng
    B = rng.standard_normal((d, d + 2))
    C = B @ B.T / (d + 2) + 0.5 * np.eye(d)
    if case.numbers == "collinear" and d > 1:
        C = np.ones((d, d)) + 0.0
    unit = 10.0 ** rng.integers(-case.power, case.power + 1, d) if case.numbers == "scales" else 1
    C = C * unit * np.reshape(unit, (-1, 1))
    if case.numbers == "constant" and d:
        C[0], C[:, 0] = 0, 0
    C = (C + C.T) / 2
    return np.diagonal(C) if case.seed % 3 == 0 else C


def covariance_want(
    case: Thrown, dressed: Any, numbers: Callable[[np.ndarray, float], Any]
) -> Want:
    """Return the want of what takes a covariance: refused where it is none."""
    C = read(dressed)
    if not sound(C):
        return REFUSED
    assert C is not None
    dtype = any_arrays.kept(dressed)
    eps = float(np.finfo(dtype).eps)
    if C.ndim == 1:
        return REFUSED if C.min() < 0 else Want(numbers(C, eps))
    if np.abs(C - C.T).max() > 0:
        return REFUSED
    least, scale = ld.eigh(C)[0][-1], np.abs(C).max()
    if least < -100 * eps * len(C) * scale:
        return REFUSED
    return Want(numbers(C, eps), border=bool(least < -eps * scale))


def _noise_itself(case: Thrown) -> Found:
    C = case.dress(spd(case))
    a = au.GaussianNoise(C) if case.seed % 2 else au.AlignedNoise(C, C, 2.0)
    plain = np.random.default_rng(0).standard_normal((20, max(case.shape[1], 1)))
    views = linssl.two_views(plain, a)
    return {"spread": _full(views.spread)}, 0


def _noise_wanted(case: Thrown) -> Want:
    times = 1 if case.seed % 2 else 5
    return covariance_want(
        case,
        case.dress(spd(case)),
        lambda C, eps: {"spread": (_full(times * C), STEPS * eps * np.abs(_full(C)))},
    )


def _population(case: Thrown) -> Found:
    C = case.dress(spd(case))
    return views_found(
        pairs.same_instance_population(C, np.arange(len(np.asarray(C)), dtype=float))
    )


def _population_wanted(case: Thrown) -> Want:
    C = case.dress(spd(case))
    bits = np.finfo(any_arrays.kept(C)).bits
    return covariance_want(
        case,
        C,
        lambda M, eps: {
            "shared": (_full(M), eps * np.abs(_full(M))),
            "spread": (0 * _full(M), 0),
            "mean": (np.arange(len(M)), 0),
            "precision": (bits, 0),
        },
    )


def _semantic(case: Thrown) -> Found:
    C = case.dress(spd(case))
    return views_found(pairs.SemanticPairs.population(C, C).pair(0.5, 0.25))


def _semantic_wanted(case: Thrown) -> Want:
    C = case.dress(spd(case))
    bits = np.finfo(any_arrays.kept(C)).bits

    def numbers(M: np.ndarray, eps: float) -> dict[str, tuple[Any, Any]]:
        # G = (1 - pq) S_B + (1 - p) S_W, of S = S_B + S_W.
        G, off = 1.375 * _full(M), STEPS * eps * np.abs(_full(M))
        spread = 0.625 * _full(M)
        zero = np.zeros(len(M))
        return {"shared": (G, off), "spread": (spread, off), "mean": (zero, 0)} | {
            "precision": (bits, 0)
        }

    return covariance_want(case, C, numbers)


def parameter(
    values: Callable[[Thrown], np.ndarray],
    make: Callable[[Any, int], au.Augmentation],
    law: Callable[[np.ndarray], Law],
    valid: Callable[[np.ndarray], bool] = lambda p: True,
    integers: bool = False,
) -> Door:
    """Return the door of what a family takes, seen through two views of plain data."""

    def plain(d: int) -> np.ndarray:
        return np.random.default_rng(d).standard_normal((20, d)) + 1

    def size(case: Thrown) -> int:
        return max(case.shape[1], 1)

    def call(case: Thrown) -> Found:
        a = make(case.dress(values(case)), size(case))
        return views_found(linssl.two_views(plain(size(case)), a))

    def want(case: Thrown) -> Want:
        dressed = case.dress(values(case))
        p = read(dressed)
        whole = np.asarray(dressed).dtype.kind in "iu"
        if not sound(p) or not valid(p) or (integers and not whole):
            return REFUSED
        rows = rows_of(plain(size(case)))
        assert rows is not None
        shared, spread, mean, scale = spread_by(law(p), rows.S, rows.mean)
        coarse = max(rows.eps, float(np.finfo(any_arrays.kept(dressed)).eps))
        off = STEPS * coarse * 10 * max(float(scale.max()), float(np.abs(rows.S).max()))
        root = STEPS * coarse * 10 * max(float(np.sqrt(scale.max())), 1.0)
        return Want(
            {"shared": (shared, off), "spread": (spread, off), "mean": (mean, root)}
            | {"precision": (np.finfo(rows.dtype).bits, 0)}
        )

    return Door(call, want, lambda shape: shape[1] > 0)


def _positive(case: Thrown, *shape: int) -> np.ndarray:
    return case.rng.uniform(0.25, 1, shape)


def _weighted(maps: np.ndarray, shares: Any = None) -> Law:
    d = maps.shape[1]
    shares = np.full(len(maps), np.longdouble(1) / len(maps)) if shares is None else shares
    return [(p, A, np.zeros(d)) for p, A in zip(shares, maps, strict=True)], np.zeros((d, d))


def _circulant(kernel: np.ndarray, d: int) -> np.ndarray:
    """Return the map of a kernel of a row of pixels that wraps around."""
    return np.array([[kernel[0, (i - j) % d] for j in range(d)] for i in range(d)], np.longdouble)


def _shares(case: Thrown) -> np.ndarray:
    # Powers of two, so that every precision holds them; whole ones where numbers are whole.
    return np.array([0.5, 0.25, 0.25]) if case.seed % 2 else np.array([0.0, 1.0, 0.0])


def _sums_to_one(p: np.ndarray) -> bool:
    return bool((p >= 0).all() and abs(p.sum() - 1) <= 1e-5)


def _probable(case: Thrown) -> np.ndarray:
    whole = np.issubdtype(np.asarray(case.dress(np.ones(1), spoil=False)).dtype, np.integer)
    return _shares(case) / 8 if whole else _shares(case)


PARAMETERS = {
    "Dropout, of keep": parameter(
        lambda c: _positive(c, c.shape[1]),
        lambda q, d: au.Dropout(q),
        lambda q: (
            [
                (
                    np.prod([q[i] if m else 1 - q[i] for i, m in enumerate(kept)]),
                    np.diag(np.array(kept, np.longdouble)),
                    np.zeros(len(q)),
                )
                for kept in itertools.product((0, 1), repeat=len(q))
            ],
            np.zeros((len(q), len(q))),
        ),
        lambda q: bool((q > 0).all() and (q <= 1).all()),
    ),
    "RandomMask, of masks": parameter(
        lambda c: _positive(c, 3, c.shape[1]),
        lambda masks, d: au.RandomMask(masks),
        lambda masks: _weighted(np.array([np.diag(m) for m in masks])),
        lambda masks: bool((masks != 0).any(0).all()),
    ),
    "Matrices, of matrices": parameter(
        lambda c: c.rng.standard_normal((3, c.shape[1], c.shape[1])),
        lambda matrices, d: au.Matrices(matrices),
        _weighted,
    ),
    "Separable, of columns": parameter(
        lambda c: c.rng.standard_normal((3, c.shape[1], c.shape[1])),
        lambda columns, d: au.Separable(np.ones((3, 1, 1)), columns, (1, d)),
        _weighted,
    ),
    "CyclicFilters, of kernels": parameter(
        lambda c: c.rng.standard_normal((3, 1, c.shape[1])),
        lambda kernels, d: au.CyclicFilters(kernels, (1, d)),
        lambda kernels: _weighted(np.array([_circulant(k, k.shape[1]) for k in kernels])),
    ),
    "Matrices, of probabilities": parameter(
        _probable,
        lambda p, d: au.Matrices(_three(d), p),
        lambda p: _weighted(_three(4).astype(np.longdouble), p),
        _sums_to_one,
    ),
    "Mixture, of probabilities": parameter(
        _probable,
        lambda p, d: au.Mixture([au.Matrices(M[None]) for M in _three(d)], p),
        lambda p: _weighted(_three(4).astype(np.longdouble), p),
        _sums_to_one,
    ),
}
for _name in ("Matrices, of probabilities", "Mixture, of probabilities"):
    _door = PARAMETERS[_name]
    PARAMETERS[_name] = Door(_door.call, _door.want, lambda shape: shape[1] == 4)


def _sampled(case: Thrown) -> Found:
    d = case.shape[1]
    still = [
        au.GaussianNoise(np.zeros(max(d, 1))),
        au.Dropout(1.0),
        au.Brightness(1.0, 1.0),
        au.Matrices(np.eye(max(d, 1))[None]),
        au.PixelMoves(np.arange(max(d, 1))[None]),
    ][case.seed % 5]
    view = np.asarray(still.sample(jax.random.key(0), case.x))
    return {"view": view[np.isfinite(view).all(1)]}, 0


def _sampled_wanted(case: Thrown) -> Want:
    X = read(case.x)
    if X is None:
        return REFUSED
    X = X[np.isfinite(X).all(1)]  # of a map by a matrix, 0 times infinity is no number
    return Want({"view": (X, float(np.finfo(any_arrays.kept(case.x)).eps) * np.abs(X))})


DOORS: dict[str, Door] = {
    "same_instance": Door(lambda c: views_found(linssl.same_instance(c.x)), of_rows(views_wanted)),
    "stream_moments": Door(lambda c: views_found(pairs.stream_moments(c.x)), of_rows(views_wanted)),
    "held_by, Held": Door(
        lambda c: views_found(pairs.held_by(c.x, np.arange(c.shape[0]) % 2).after),
        of_rows(lambda rows: views_wanted(rows, _within(rows))),
        lambda shape: shape[0] >= 4,
    ),
    "same_instance_moments": Door(
        lambda c: views_found(
            pairs.same_instance_moments(*_dressed(c, spd(c), np.ones(c.shape[1])), 10)
        ),
        lambda c: _fields_wanted(c, {"shared": spd(c), "mean": np.ones(c.shape[1])}, views=True),
        lambda shape: shape[1] > 0,
    ),
    "same_instance_population": Door(_population, _population_wanted, lambda shape: shape[1] > 0),
    "SemanticPairs.population": Door(_semantic, _semantic_wanted, lambda shape: shape[1] > 0),
    "two_views": Door(lambda c: views_found(linssl.two_views(c.x, noise(c))), of_case(_of_noise)),
    "augment": Door(
        lambda c: views_found(linssl.augment(linssl.same_instance(c.x), noise(c))),
        of_case(_of_noise),
    ),
    "view_and_clean": Door(
        lambda c: pair_found(linssl.view_and_clean(c.x, noise(c))),
        of_case(
            lambda rows, c: pair_wanted(rows, rows, np.diag(noise_of(c)).astype(np.longdouble))
        ),
    ),
    "augment_sides": Door(
        lambda c: pair_found(
            linssl.augment_sides(pairs.two_modalities(c.x, beside(c)), noise(c), None)
        ),
        two_sides(beside, finest=True, spread=noise_of),
    ),
    "two_modalities": Door(
        lambda c: pair_found(pairs.two_modalities(c.x, c.dress(beside(c), spoil=False))),
        two_sides(lambda c: c.dress(beside(c), spoil=False), finest=True),
    ),
    "PairMoments.from_samples": Door(
        lambda c: pair_found(linssl.PairMoments.from_samples(c.x, c.x[:, ::-1])),
        two_sides(lambda c: c.x[:, ::-1], finest=True),
    ),
    "with_label, numbers": Door(
        lambda c: pair_found(linssl.with_label(c.x, beside(c))),
        two_sides(beside, finest=False),
    ),
    "GaussianNoise": Door(_noise_itself, _noise_wanted, lambda shape: shape[1] > 0),
    "sample": Door(_sampled, _sampled_wanted, lambda shape: shape[1] > 0),
    "Mixup": mixup(),
    **{name: family(name) for name in FAMILIES},
    **PARAMETERS,
}


def _dressed(case: Thrown, *values: np.ndarray) -> list[Any]:
    """Return several arrays in one dress; what isn't finite is in the first."""
    return [case.dress(v, spoil=not i) for i, v in enumerate(values)]


def _fields_wanted(case: Thrown, fields: dict[str, np.ndarray], views: bool) -> Want:
    """Return the want of moments that are handed over as they are: only dtypes are refused."""
    dressed = dict(zip(fields, _dressed(case, *fields.values()), strict=True))
    plain = {name: read(value) for name, value in dressed.items()}
    if any(value is None for value in plain.values()):
        return REFUSED
    numbers: dict[str, tuple[Any, Any]] = {}
    for name, value in plain.items():
        eps = float(np.finfo(any_arrays.kept(dressed[name])).eps)
        square = name not in ("mean", "mean_first", "mean_second")
        assert value is not None
        full = _full(value) if square else value
        with np.errstate(invalid="ignore"):
            numbers[name] = full, np.nan_to_num(eps * np.abs(full))
    if views and "spread" not in numbers:
        numbers["spread"] = np.zeros_like(numbers["shared"][0]), 0
    numbers["precision"] = np.finfo(any_arrays.kept(*dressed.values())).bits, 0
    return Want(numbers)


def _views_itself(case: Thrown) -> dict[str, np.ndarray]:
    return {"shared": spd(case), "spread": spd(case) * 0.5, "mean": np.ones(case.shape[1])}


def _pair_itself(case: Thrown) -> dict[str, np.ndarray]:
    d = case.shape[1]
    names = ("first", "second", "cross", "mean_first", "mean_second")
    cross = 0.25 * np.diag(spd(case)) if spd(case).ndim == 1 else 0.25 * spd(case)
    return dict(zip(names, (spd(case), spd(case), cross, np.ones(d), np.ones(d)), strict=True))


DOORS |= {
    "Views": Door(
        lambda c: views_found(linssl.Views(*_dressed(c, *_views_itself(c).values()), 10, 9)),
        lambda c: _fields_wanted(c, _views_itself(c), True),
        lambda shape: shape[1] > 0,
    ),
    "PairMoments": Door(
        lambda c: pair_found(linssl.PairMoments(*_dressed(c, *_pair_itself(c).values()), 10, 9)),
        lambda c: _fields_wanted(c, _pair_itself(c), False),
        lambda shape: shape[1] > 0,
    ),
}


# Halves that merge, moments of groups, of classes, of a black box.
def _merged(case: Thrown) -> Found:
    X = case.x
    half = len(X) // 2
    return views_found(linssl.merge(linssl.same_instance(X[:half]), linssl.same_instance(X[half:])))


def _merged_wanted(case: Thrown) -> Want:
    halves = [rows_of(case.x[: len(case.x) // 2]), rows_of(case.x[len(case.x) // 2 :])]
    rows = rows_of(case.x)
    if rows is None or any(half is None or range_of(half) == "lost" for half in halves):
        return REFUSED
    border = "border" in [range_of(half) for half in halves]
    wanted = views_wanted(rows)
    # Means are kept in this precision, and their difference is squared.
    lost = STEPS * rows.eps * np.abs(rows.mean)
    wide = rows.deviation
    more = np.outer(lost, wide) + np.outer(wide, lost) + np.outer(lost, lost)
    wanted["shared"] = rows.S, wanted["shared"][1] + more
    return Want(wanted, border=border)


def _grouped(case: Thrown) -> np.ndarray:
    X = case.values
    own = np.random.default_rng(case.seed + 2).standard_normal((len(X), 3, X.shape[1]))
    unit = np.where(X.std(0) > 0, X.std(0), 1) if len(X) else 1
    return X[:, None] + 0.5 * own * unit


def _groups_wanted(case: Thrown) -> Want:
    dressed = case.dress(_grouped(case))
    X = read(dressed)
    if not sound(X):
        return REFUSED
    assert X is not None
    n, J, d = X.shape
    first = X[0, 0]
    X = X - first  # exact, where the mean is large
    means, mean = X.mean(1), X.reshape(-1, d).mean(0)
    apart = (X - means[:, None]).reshape(-1, d)
    spread = apart.T @ apart / (n * (J - 1))
    between = (means - mean).T @ (means - mean) / n
    eps = float(np.finfo(any_arrays.kept(dressed)).eps)
    wide = np.sqrt(np.diagonal(between) + np.diagonal(spread))
    off = STEPS * eps * np.outer(wide, wide)
    total = wide[wide > 0] ** 2
    info = np.finfo(any_arrays.kept(dressed))
    # `groups` leaves what overflows to the status.
    if total.size and (total.max() > info.max / 4 or total.min() < info.tiny * 4):
        return Want({}, clear=False, border=True)
    return Want(
        {
            "shared": (between - spread / J, off),
            "spread": (spread, off),
            "mean": (first + mean, STEPS * eps * (np.abs(first + mean) + wide)),
            "precision": (info.bits, 0),
        }
    )


MEAN, COUNT = 0.5, 10


def _second(case: Thrown) -> np.ndarray:
    """Return raw moments, of a mean that every precision holds."""
    C = spd(case)
    return np.diag(C) + MEAN**2 if C.ndim == 1 else C + MEAN**2


def _raw(case: Thrown) -> Found:
    raw, d = case.dress(_second(case)), case.shape[1]
    m = np.full(d, MEAN, any_arrays.kept(raw))
    own = np.eye(d, dtype=m.dtype)
    pair = linssl.PairMoments.from_raw(raw, own, own, m, m, COUNT, COUNT - 1)
    return {"first": pair.first, "second": pair.second, "cross": pair.cross}, 0


def _raw_wanted(case: Thrown) -> Want:
    dressed = case.dress(_second(case))
    raw, d = read(dressed), case.shape[1]
    if raw is None:
        return REFUSED
    if not np.isfinite(raw).all():
        return Want({}, clear=False)
    S, own = raw - MEAN**2, np.eye(d) - MEAN**2
    eps = float(np.finfo(any_arrays.kept(dressed)).eps)
    lost = 8 * COUNT**0.5 * eps * np.diagonal(raw)
    variance = np.diagonal(S)
    if (variance < -2 * lost).any():
        return REFUSED
    # A variance that rounding hides is taken as 0, and what is shared with it.
    hidden = variance < 2 * lost
    off = STEPS * eps * np.abs(raw) + np.where(hidden | hidden[:, None], np.abs(S), 0)
    cross = np.where(hidden[:, None], np.abs(own), STEPS * eps)
    return Want(
        {"first": (S, off), "second": (own, STEPS * eps), "cross": (own, cross)},
        border=bool((variance < 0).any()),
    )


def _summary(case: Thrown) -> Found:
    data = linssl.NoisyData.from_pair(linssl.same_instance(case.x))
    R = np.asarray(data.root, float)
    return {"squares": R.T @ R, "mean": data.mean}, 0


def _summary_wanted(rows: Rows) -> dict[str, tuple[Any, Any]]:
    n, d = rows.X.shape
    off = STEPS * rows.eps * d * n * float(np.abs(rows.S).max())
    return {"squares": (n * rows.S, off), "mean": (rows.mean, rows.mean_off)}


class Box:
    """A view from outside of JAX, which remembers what it showed."""

    def __init__(self, case: Thrown, unit: Any):
        self.rng, self.unit, self.seen = np.random.default_rng(case.seed), unit, []

    def __call__(self, x: np.ndarray) -> np.ndarray:
        u = np.asarray(x, float) + self.unit * self.rng.standard_normal(np.shape(x))
        self.seen.append((np.asarray(x, np.longdouble), u.astype(np.longdouble)))
        return u


def _boxed(case: Thrown) -> tuple[Any, Box]:
    box = Box(case, 0.5 * np.sqrt(noise_of(case) / case.share))
    return pairs.estimate_pair(box, case.x, 3), box


def _estimated(case: Thrown) -> Found:
    return views_found(_boxed(case)[0].views)


def _estimated_wanted(case: Thrown) -> Want:
    rows = rows_of(case.x, any_arrays.kept(np.ones(1)))
    if rows is None or len(rows.X) < 20:
        return REFUSED
    _, box = _boxed(case)
    V, d = 3, rows.X.shape[1]
    u = np.array([view for _, view in box.seen[V:]]).reshape(-1, V, d)
    first = u[0, 0]
    u = u - first
    n, mean = len(u), u.reshape(-1, d).mean(0)
    around = u - mean
    spread = u - u.mean(1, keepdims=True)
    spread = np.einsum("ivj,ivk->jk", spread, spread) / (n * (V - 1))
    G = sum(
        around[:, v].T @ around[:, w] for v in range(V) for w in range(V) if v != w
    ) / np.longdouble(n * V * (V - 1))
    G = (G + spread / (V * n)) * n / (n - np.longdouble(1))
    wide = np.sqrt(np.diagonal(spread) + np.abs(np.diagonal(G)))
    eps, info = rows.eps, np.finfo(rows.dtype)
    if wide.max() ** 2 > info.max / 4 or (wide[wide > 0].min(initial=1)) ** 2 < info.tiny * 4:
        return Want({}, clear=False, border=True)
    # A view is rounded where it is made: so is what views differ by, beside a large mean. Sums are
    # about the first view, which may lie some deviations from the mean.
    far = float(np.max(np.abs(mean) / np.where(wide > 0, wide, 1)))
    mean = first + mean
    made = 4 * 2.0**-52 * np.abs(mean)
    off = STEPS * eps * (1 + far**2) * np.outer(wide, wide) + np.outer(wide, made)
    off = off + np.outer(made, wide)
    return Want(
        {
            "shared": (G, off),
            "spread": (spread, off),
            "mean": (mean, STEPS * eps * (np.abs(mean) + wide)),
            "precision": (info.bits, 0),
        }
    )


DOORS |= {
    "merge": Door(_merged, _merged_wanted, lambda shape: shape[0] > 1 or 0 in shape),
    "groups": Door(lambda c: views_found(pairs.groups(c.dress(_grouped(c)))), _groups_wanted),
    "PairMoments.from_raw": Door(_raw, _raw_wanted, lambda shape: shape[1] > 0),
    "NoisyData.from_pair": Door(_summary, of_rows(_summary_wanted)),
    "estimate_pair": Door(_estimated, _estimated_wanted, lambda shape: shape[0] in (0, 40, 64, 4)),
}
