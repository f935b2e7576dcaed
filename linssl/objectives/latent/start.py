r"""Where EM starts: the model solved as if B and W_n commuted, which is exact where they do."""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from linssl.objectives.latent.channels import Channels, among
from linssl.objectives.latent.climb import Point
from linssl.objectives.latent.directions import best_size

GRID = 8  # noises and shares a round; each round looks closer about the best
ROUNDS = 6


def bases(moments: Channels, diagonal: bool) -> Array:
    """Return orthogonal bases, (m, d, d), in which B and W_n might both be diagonal.

    Eigenvectors of a generic combination are common ones where there are any; those of B and of
    W_n alone are other starts. Source: derived.
    """
    B, W = moments.between, moments.within
    if diagonal:
        return jnp.eye(len(B), dtype=B.dtype)[None]
    blends = (1.0, 0.6180339887), (1.0, 0.0), (0.0, 1.0)
    return jnp.stack([jnp.linalg.eigh(b * B + w * W)[1][:, ::-1] for b, w in blends])


def diagonals(basis: Array, *moments: Array) -> tuple[Array, ...]:
    """Return the diagonals of moments in an orthogonal basis. Source: derived."""
    return tuple(jnp.sum(basis * (M @ basis), 0) for M in moments)


def frame(total: Array, decoder: Array, dim: Array) -> tuple[Array, Array]:
    """Return an orthogonal basis that starts with the decoder's k, and its sizes, 0 in the rest.

    The rest are principal axes of what the decoder leaves. Source: derived.
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

    Source: derived (bookkeeping).
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
    with the largest gains are kept, and columns of 0 to fill the room; s and r by a grid that is
    refined.

    Source: derived, for the model of SimVAE.
    """
    B, W, J = moments.between, moments.within, moments.views
    b, w = diagonals(basis, B, W)

    eps, dtype = float(jnp.finfo(B.dtype).eps), B.dtype
    lows = jnp.asarray([jnp.log(100 * eps), 0.0], dtype)
    highs = jnp.asarray([1.0, 1.0], dtype)
    fixed = [None if noise is None else jnp.log(noise), share]
    real = among(room, dim)

    def solved(point: tuple[Array, Array]) -> tuple[Array, Array, Array]:
        log_s, r = point
        x, gains = best_size(moments.prior, J, r, b / jnp.exp(log_s), w / jnp.exp(log_s))
        best, kept = jax.lax.top_k(gains, room)
        total = jnp.sum(b + (J - 1) * w) * jnp.exp(-log_s)
        best, sizes = (jnp.where(real, values, 0) for values in (best, jnp.sqrt(x[kept])))
        return (J * len(B) * log_s + total) / 2 - jnp.sum(best), kept, sizes

    def closer(found: tuple[Array, ...], width: Array) -> tuple[tuple[Array, ...], None]:
        spread = jnp.linspace(-1, 1, GRID, dtype=dtype)
        free = jnp.stack(found[:2])[:, None] + width * (highs - lows)[:, None] * spread[None, :]
        free = jnp.clip(free, lows[:, None], highs[:, None])
        if estimated:
            # Not on the edges of a share: EM can't leave r = 1, where no style is left.
            free = free.at[1].set(jnp.clip(free[1], 1e-3, 1 - 1e-3))
        axes = [free[i] if x is None else jnp.reshape(x, (1,)) for i, x in enumerate(fixed)]
        log_s, r = (m.ravel() for m in jnp.meshgrid(*axes, indexing="ij"))
        losses, kept, sizes = jax.lax.map(solved, (log_s, r))
        best = jnp.argmin(jnp.where(jnp.isnan(losses), jnp.inf, losses))
        return (log_s[best], r[best], kept[best], sizes[best]), None

    estimated = noise is None or share is None
    middle = (lows + highs) / 2
    first = middle[0], middle[1], jnp.arange(room, dtype=jnp.int32), jnp.zeros(room, dtype)
    widths = 0.5 * (2.5 / GRID) ** jnp.arange(ROUNDS if estimated else 1, dtype=dtype)
    (log_s, r, kept, sizes), _ = jax.lax.scan(closer, first, widths)
    s = jnp.exp(log_s) if noise is None else noise
    return basis[:, kept] * (sizes * jnp.sqrt(s))[None, :], s, r if share is None else share
