r"""Where EM starts: the model solved as if B and W_n commuted, which is exact where they do."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from linssl.objectives.latent.channels import Channels, among, least_noise
from linssl.objectives.latent.climb import Point
from linssl.theory.latents.directions import best_size

GRID = 48, 9  # noises and shares to look for minima at
STARTS = 4  # minima to look at closely
SHARES, NOISES = (0.3, 0.7), (0.1, 0.03, 0.01)  # that EM starts from beside the best
FINE, ROUNDS = 7, 6  # noises and shares a round; each looks three times closer


def bases(moments: Channels, diagonal: bool) -> Array:
    """Return orthogonal bases, (m, d, d), in which B and W_n might both be diagonal.

    Eigenvectors of a generic combination are common ones where there are any; those of B and of
    W_n alone are other starts.
    """
    B, W = moments.between, moments.within
    if diagonal:
        return jnp.eye(len(B), dtype=B.dtype)[None]
    blends = (1.0, 0.6180339887), (1.0, 0.0), (0.0, 1.0)
    return jnp.stack([jnp.linalg.eigh(b * B + w * W)[1][:, ::-1] for b, w in blends])


def diagonals(basis: Array, *moments: Array) -> tuple[Array, ...]:
    """Return the diagonals of moments in an orthogonal basis."""
    return tuple(jnp.sum(basis * (M @ basis), 0) for M in moments)


def frame(total: Array, decoder: Array, dim: Array) -> tuple[Array, Array]:
    """Return an orthogonal basis that starts with the decoder's k, and its sizes, 0 in the rest.

    The rest are principal axes of what the decoder leaves.
    """
    d, K = decoder.shape
    U, sizes, _ = jnp.linalg.svd(decoder, full_matrices=False)
    U, sizes = jnp.where(among(K, dim), U, 0), jnp.where(among(K, dim), sizes, 0)
    # What is left in the complement, which has no negative eigenvalues; the k are put below.
    left = total - U @ (U.T @ total)
    left = left - (left @ U) @ U.T - (1 + jnp.trace(total)) * U @ U.T
    axes = jnp.linalg.eigh((left + left.T) / 2)[1][:, ::-1]
    U, sizes = jnp.pad(U, ((0, 0), (0, d - K))), jnp.pad(sizes, (0, d - K))
    return jnp.where(among(d, dim), U, jnp.roll(axes, dim, axis=1)), sizes


def ordered(
    basis: Array, sizes: Array, kept: Array, others: Array, dim: Array, room: int
) -> tuple[Array, Array]:
    """Return the decoder of a `frame`, and the gains of all directions: of the k first, descending.

    Args:
        basis: of the frame.
        sizes: of the frame.
        kept: gains of the decoder, read in its first k.
        others: gains of directions that have none, read in the rest.
        dim: $k$.
        room: how many columns the decoder has.
    """
    first = among(len(sizes), dim)
    gains = jnp.where(first, kept, others)
    order = jnp.lexsort((-gains, ~first))
    return (basis * sizes[None, :])[:, order[:room]], gains[order]


def start_in(
    moments: Channels,
    basis: Array,
    room: int,
    dim: Array,
    noise: Array | None,
    share: Array | None,
) -> Point:
    r"""Solve the model on the diagonals of B and W_n in a basis; noise and share where not given.

    $W = U\sqrt{m}$ with the cubic's best m in each direction of the basis U, of which the dim
    with the largest gains are kept, and columns of 0 to fill the room. At given s and r this is
    exact; over both there may be several minima, of which a grid finds the lowest few, and finer
    grids refine each.

    Source: derived, for the model of SimVAE.
    """
    J, dtype = moments.group_size, moments.between.dtype
    b, w = diagonals(basis, moments.between, moments.within)
    free = noise is None, share is None
    rows, columns = (size if own else 1 for size, own in zip(GRID, free, strict=True))
    grid = _square(np.linspace(0, 1, rows), np.linspace(0, 1, columns))
    spread = [np.linspace(-1, 1, FINE if own else 1) for own in free]
    finer = _square(*(x / (size - 1) for x, size in zip(spread, GRID, strict=True)))
    starts = min(STARTS, len(grid))
    size = max(len(grid), starts * len(finer))

    def within(square: Array) -> Array:
        # Noise between the least that is told from none and what the smallest diagonals allow; a
        # code's share off its edges: EM can't leave r = 1, where no style is left.
        least = jnp.log(least_noise(moments))
        log_s = least + (1 - least) * square[0] if noise is None else jnp.log(noise)
        return jnp.stack([log_s, jnp.clip(square[1], 1e-3, 1 - 1e-3) if share is None else share])

    def solved(square: Array) -> tuple[Array, Array, Array]:
        log_s, r = within(square)
        x, gains = best_size(moments.prior, J, r, b / jnp.exp(log_s), w / jnp.exp(log_s))
        best, kept = jax.lax.top_k(gains, room)
        real, total = among(room, dim), jnp.sum(b + (J - 1) * w) * jnp.exp(-log_s)
        best, sizes = (jnp.where(real, values, 0) for values in (best, jnp.sqrt(x[kept])))
        loss = (J * len(b) * log_s + total) / 2 - jnp.sum(best)
        return jnp.where(jnp.isnan(loss), jnp.inf, loss), kept, sizes

    def filled(points: Array) -> Array:
        return jnp.pad(points, ((0, size - len(points)), (0, 0)), mode="edge")

    # The grid and all finer ones by one program, in a unit square: half of a fit was compiling.
    def closer(points: Array, scale: Array) -> tuple[Array, tuple[Array, Array, Array]]:
        losses, kept, sizes = jax.vmap(solved)(points)
        lowest = jnp.argmin(losses)
        groups = losses[: starts * len(finer)].reshape(starts, len(finer))
        found = jnp.argmin(groups, 1) + len(finer) * jnp.arange(starts)
        minima = _minima(losses[: len(grid)].reshape(rows, columns), starts).astype(found.dtype)
        centres = points[jnp.where(scale == 1, minima, found)]
        near = jnp.clip(centres[:, None] + scale * finer[None], 0, 1)
        return filled(near.reshape(-1, 2)), (points[lowest], kept[lowest], sizes[lowest])

    scales = (2 / (FINE - 1)) ** np.arange(ROUNDS + 1 if any(free) else 1)
    points, finer = filled(jnp.asarray(grid, dtype)), jnp.asarray(finer, dtype)
    _, rounds = jax.lax.scan(closer, points, jnp.asarray(scales, dtype))
    best, kept, sizes = (x[-1] for x in rounds)  # the centre is a point too: the last is the lowest
    log_s, r = within(best)
    s = jnp.exp(log_s) if noise is None else noise
    return basis[:, kept] * (sizes * jnp.sqrt(s))[None, :], s, r if share is None else share


def around(start: Point, fit_noise: bool, fit_style: bool) -> Point:
    """Return starts, stacked: this one, with less noise, and with shares of content off the edges.

    Where moments don't commute there are optima of little style beside those of none, which lie
    at less noise than the diagonals say. EM finds one from where noise is less, or style more.
    """
    V, s, r = start
    noises = [c * s for c in NOISES] if fit_noise else []
    shares = [jnp.full_like(r, c) for c in SHARES] if fit_style else []
    beside = [(s, r), *((c, r) for c in noises), *((s, c) for c in shares)]
    s, r = (jnp.stack(values) for values in zip(*beside, strict=True))
    return jnp.broadcast_to(V, (len(beside), *V.shape)), s, r


def _square(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return all pairs, (m, 2)."""
    return np.stack(np.meshgrid(a, b, indexing="ij"), -1).reshape(-1, 2)


def _minima(values: Array, count: int) -> Array:
    """Return where a table has its lowest minima, flat; others fill up if it has less."""
    around = jnp.pad(values, 1, constant_values=jnp.inf)
    rows, columns = values.shape
    shifts = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    neighbours = jnp.stack([around[i : i + rows, j : j + columns] for i, j in shifts])
    minimal = values <= jnp.min(neighbours, 0)
    return jax.lax.top_k(-jnp.where(minimal, values, jnp.inf).ravel(), count)[1]
