r"""Where EM starts: the model solved as if B and W_n commuted, which is exact where they do."""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from linssl.objectives.latent.channels import Channels, among, least_noise
from linssl.objectives.latent.climb import Point
from linssl.objectives.latent.directions import best_size

GRID = 48, 9  # noises and shares to look for minima at
STARTS = 4  # minima to look at closely
FINE, ROUNDS = 7, 6  # noises and shares a round; each looks three times closer


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
    with the largest gains are kept, and columns of 0 to fill the room. At given s and r this is
    exact; over both there may be several minima, of which a grid finds the lowest few, and finer
    grids refine each.

    Source: derived, for the model of SimVAE.
    """
    J, dtype = moments.views, moments.between.dtype
    b, w = diagonals(basis, moments.between, moments.within)
    lowest, highest = jnp.log(least_noise(moments)), jnp.asarray(1, dtype)
    real = among(room, dim)

    def solved(log_s: Array, r: Array) -> tuple[Array, Array, Array]:
        x, gains = best_size(moments.prior, J, r, b / jnp.exp(log_s), w / jnp.exp(log_s))
        best, kept = jax.lax.top_k(gains, room)
        total = jnp.sum(b + (J - 1) * w) * jnp.exp(-log_s)
        best, sizes = (jnp.where(real, values, 0) for values in (best, jnp.sqrt(x[kept])))
        loss = (J * len(b) * log_s + total) / 2 - jnp.sum(best)
        return jnp.where(jnp.isnan(loss), jnp.inf, loss), kept, sizes

    table = jax.vmap(jax.vmap(solved, (None, 0)), (0, None))
    estimated = noise is None, share is None

    def losses(log_s: Array, r: Array) -> Array:
        # A code's share off its edges: EM can't leave r = 1, where no style is left.
        return table(log_s, jnp.clip(r, 1e-3, 1 - 1e-3) if estimated[1] else r)[0]

    # Noise lies between the least that is told from none and what the smallest diagonals allow.
    ends = jnp.linspace(lowest, highest, GRID[0], dtype=dtype)
    log_s = ends if noise is None else jnp.log(noise)[None]
    r = jnp.linspace(0, 1, GRID[1], dtype=dtype) if share is None else share[None]
    at = _minima(losses(log_s, r))
    widths = (highest - lowest) / (GRID[0] - 1), jnp.asarray(1 / (GRID[1] - 1), dtype)

    def refine(point: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
        def closer(point: tuple[Array, Array], scale: Array) -> tuple[tuple[Array, Array], None]:
            spread = jnp.linspace(-1, 1, FINE, dtype=dtype)
            limits = (lowest, highest), (0, 1)
            axes = [
                jnp.clip(x + scale * width * spread, *limit) if free else x[None]
                for x, width, limit, free in zip(point, widths, limits, estimated, strict=True)
            ]
            values = losses(*axes)
            i, j = jnp.unravel_index(jnp.argmin(values), values.shape)
            return (axes[0][i], axes[1][j]), None

        scales = (2 / (FINE - 1)) ** jnp.arange(ROUNDS if any(estimated) else 0, dtype=dtype)
        point, _ = jax.lax.scan(closer, point, scales)
        return losses(point[0][None], point[1][None])[0, 0], point

    values, found = jax.lax.map(refine, (log_s[at[0]], r[at[1]]))
    best = jnp.argmin(values)
    log_s, r = found[0][best], found[1][best]
    if estimated[1]:
        r = jnp.clip(r, 1e-3, 1 - 1e-3)
    _, kept, sizes = solved(log_s, r)
    s = jnp.exp(log_s) if noise is None else noise
    return basis[:, kept] * (sizes * jnp.sqrt(s))[None, :], s, r if share is None else share


def _minima(values: Array) -> tuple[Array, Array]:
    """Return where a table has its lowest minima, STARTS of them; others fill up if it has less."""
    around = jnp.pad(values, 1, constant_values=jnp.inf)
    rows, columns = values.shape
    shifts = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    neighbours = jnp.stack([around[i : i + rows, j : j + columns] for i, j in shifts])
    minimal = values <= jnp.min(neighbours, 0)
    count = min(STARTS, values.size)
    _, best = jax.lax.top_k(-jnp.where(minimal, values, jnp.inf).ravel(), count)
    i, j = jnp.unravel_index(best, values.shape)
    return i, j
