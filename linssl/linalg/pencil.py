r"""Symmetric pencils: $H w = \omega S w$, with a derivative that survives repeated scores."""

from functools import partial
from typing import TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from linssl.arguments import Numbers, as_float, is_concrete, require_dim
from linssl.linalg.status import FATAL, Status
from linssl.linalg.structure import Moment, add, dense, diagonal, multiply
from linssl.linalg.whitening import Whitener, blurred_share, by_chance, whitener


class Square(eqx.Module):
    r"""The matrix $A A^T$, by its factor $A$, (d, e): squaring it would lose half the digits."""

    factor: Float[Array, "d e"]


Symmetric: TypeAlias = Float[Array, "d d"] | Square


class Pencil(eqx.Module):
    r"""The solution of $G w = \omega S w$, $S = G + \Sigma$.

    Args:
        rows: $W_k$, (k, d), leading scores first, with $W S W^T = I$.
        scores: $\omega$, (d,), descending.
        complement: $1 - \omega = w^T \Sigma w$ of the rows, (k,): all digits where ω is almost 1.
        status: `Status` bits of the moments.
        rounding: relative error of what S whitens.
        eigenvalues: as they were computed, (d,): $\omega$, or $\omega/(1 - \omega)$ where S was
            whitened by its diagonal Σ alone.
        precision: their error, relative to the largest.
    """

    rows: Float[Array, "k d"]
    scores: Float[Array, " d"]
    complement: Float[Array, " k"]
    status: Int[Array, ""]
    rounding: Float[Array, ""]
    eigenvalues: Float[Array, " d"]
    precision: Float[Array, ""]


class Whitened(eqx.Module):
    r"""H in coordinates in which another matrix is I.

    Args:
        by: $F$.
        matrix: $F^{-1} H F^{-T}$, (d, d), or $F^{-1} A$, (d, e), of a `Square`.
        precision: error of eigenvalues, relative to the largest: gaps below it are ties.
        by_noise: whether $F F^T$ is Σ, of $S = G + \Sigma$; None: it is S.
    """

    by: Whitener
    matrix: Float[Array, "d e"]
    precision: Float[Array, ""]
    by_noise: Bool[Array, ""] | None = None


def pencil(
    shared: Moment,
    spread: Moment,
    dim: int,
    rounding: Float[Array, " d"] | None = None,
    count: Float[Array, ""] | None = None,
) -> Pencil:
    r"""Solve $G w = \omega\,(G + \Sigma)\, w$ for the k leading rows and all scores.

    $$ W S W^T = I_k, \quad W G W^T = \mathrm{diag}(\omega), \quad
       W \Sigma W^T = \mathrm{diag}(1 - \omega) $$

    With $S = F F^T$, F is $S^{1/2} V$ for an orthogonal V: eigenvalues are those of
    $S^{-1/2} G S^{-1/2}$, and $Q_k^T F^{-1}$ are rows of $S^{-1/2}$ turned. Where Σ is a diagonal
    that is worth dividing by, $F = \Sigma^{1/2}$ needs no factorisation: S is $I + Q g Q^T$ there,
    $\omega = g/(1 + g)$, and rows shrink by $(1 + g)^{-1/2}$.

    Derivatives are those of `leading`.

    Args:
        shared: $G$, (d, d) or (d,).
        spread: $\Sigma$, (d, d) or (d,).
        dim: $k$.
        rounding: variance of each feature that is rounding of the data, (d,); None is 0.
        count: instances behind the moments; None is inf.

    Source: JEvRC, Theorem 2; derived (the complement; whitening by the noise).
    """
    G, S = dense(shared), add(shared, spread)
    whitened, status = _whitened(G, dense(S), spread, rounding, count)
    F, M = whitened.by, whitened.matrix
    tolerance = jnp.finfo(M.dtype).eps ** 0.5 + 10 * F.rounding
    # A test of every entry, not of the largest: XLA takes 0.1 ms over that maximum on a CPU.
    even = jnp.all(jnp.abs(M - M.T) <= tolerance * jnp.maximum(jnp.max(jnp.abs(M)), 1))
    symmetric = jnp.where(even, 0, Status.NOT_SYMMETRIC)
    finite = jnp.all(jnp.isfinite(G))
    status = status | jnp.where(finite, symmetric, Status.NOT_FINITE)
    usable = (status & FATAL) == 0
    M = jnp.where(usable, (M + M.T) / 2, 0)
    whitened = eqx.tree_at(lambda w: w.matrix, whitened, M)
    G, N = jnp.where(usable, G, 0), jnp.where(usable, spread, 0)
    W, scores, complement, eigenvalues = _solve(G, N, whitened, dim, True)
    status = status | _by_eigenvalues(whitened, eigenvalues)
    usable = (status & FATAL) == 0
    # Cauchy-Schwarz: no correlation of one pair exceeds 1.
    too_large = jnp.max(jnp.abs(scores)) > 1 + tolerance
    status = status | jnp.where(usable & too_large, Status.INCONSISTENT, 0)
    return Pencil(W, scores, complement, status, F.rounding, eigenvalues, whitened.precision)


def leading(
    H: Symmetric, S: Moment, F: Whitener, dim: int, whitened: Array | None = None
) -> tuple[Float[Array, "k d"], Float[Array, " m"]]:
    r"""Solve $H w = \omega S w$: the k leading rows, $W S W^T = I$, and scores, descending.

    Rows are unique up to a rotation of them where $\omega_k > \omega_{k+1}$. Their derivative is
    the part that leaves the subspace, and the one that keeps $W S W^T = I$:

    $$ dw_i = \sum_{j > k} \frac{w_j^T (dH - \omega_i\, dS) w_i}{\omega_i - \omega_j}\, w_j
       - \tfrac12 \sum_{j \le k} (w_i^T\, dS\, w_j)\, w_j, \qquad
       d\omega_i = w_i^T (dH - \omega_i\, dS) w_i $$

    So what doesn't depend on the basis of the subspace ($W^T W$, $W B W^T$ up to a rotation) has
    its true derivative, with gaps across the cut only; a rotation within has none, and what
    depends on it gets none. Ties across the cut, to working precision, contribute 0. Where a
    score repeats, its derivative is that of one branch; sums over all that are equal have the
    true one. Second derivatives go through eigenvectors, and exist where all scores differ.

    Args:
        H: (d, d), symmetric, or a `Square`, whose scores are the min(d, e) that aren't 0.
        S: (d, d) or (d,).
        F: whitener of S; results mean nothing unless it is sound.
        dim: $k$.
        whitened: $F^{-1} H F^{-T}$, where it is known with more digits than through H.

    Source: derived (first-order perturbation of a definite pencil).
    """
    M = in_white(H, F) if whitened is None else whitened
    return _solve(H, S, Whitened(F, M, F.rounding), dim, False)[:2]


def in_white(H: Symmetric, F: Whitener) -> Float[Array, "d e"]:
    """Return $F^{-1} H F^{-T}$, (d, d), or $F^{-1} A$, (d, e), of a `Square`."""
    if isinstance(H, Square):
        return F.whiten(H.factor)
    half = F.whiten(F.whiten(H).T)
    return (half + half.T) / 2


def projector(matrix: Numbers, dim: int) -> Float[Array, "d d"]:
    r"""Project on the eigenvectors of the k largest eigenvalues of a symmetric matrix.

    $$ P = Q_k Q_k^T, \qquad
       dP = \sum_{i \le k < j} \frac{q_i q_i^T\, dM\, q_j q_j^T
       + q_j q_j^T\, dM\, q_i q_i^T}{\lambda_i - \lambda_j} $$

    The derivative divides by gaps across the cut only. So eigenvalues may repeat on either side
    of it, where the derivative through eigenvectors is NaN. Where $\lambda_k = \lambda_{k+1}$ to
    working precision P isn't unique and has no derivative: such pairs contribute 0.

    Args:
        matrix: $M$, (d, d), symmetric; read as $(M + M^T)/2$.
        dim: $k$, 1 <= k <= d.

    Returns:
        $P$, (d, d).

    Raises:
        ValueError: not a square matrix, NaN or inf in it (where concrete), or dim out of range.

    Source: derived (first-order perturbation of an invariant subspace; DavisKahan1970).
    """
    M = as_float(matrix, "matrix")
    if M.ndim != 2 or M.shape[0] != M.shape[1] or M.size == 0:
        raise ValueError(f"matrix must be (d, d); got {M.shape}.")
    if is_concrete(M) and not np.isfinite(M).all():
        raise ValueError("matrix must be finite; got NaN or inf.")
    require_dim(dim, M.shape[0], "the size of the matrix")
    Q = principal(M, dim)[0]
    return Q.T @ Q


def principal(
    matrix: Float[Array, "d d"], dim: int
) -> tuple[Float[Array, "k d"], Float[Array, " d"]]:
    """Return the k leading eigenvectors of a symmetric matrix, as rows, and all eigenvalues.

    Derivatives are those of `leading`, with S = I.
    """
    one = jnp.ones_like(matrix[0])
    precision = jnp.asarray(4 * jnp.finfo(one.dtype).eps * one.size**0.5, one.dtype)
    F = Whitener(one, None, precision, jnp.asarray(0))
    M = (matrix + matrix.T) / 2
    return leading(M, one, F, dim, M)


def code_root(
    size: Float[Array, " k"], form: Float[Array, "k k"], slope: Float[Array, "k k"]
) -> Float[Array, "k k"]:
    r"""Return R with $R^T R = f(M)$, where M is diagonal in value; rows of 0 stay 0.

    For codes whose directions have sizes of their own, as $R W$: $W^T f(M) W$ doesn't depend on
    the basis of W as long as $M = W H W^T$ turns with it. So R is $\mathrm{diag}(b)^{1/2}$, and
    its derivative, finite where sizes repeat, that of an upper factor of f(M), whose entries off
    the diagonal move with

    $$ df(M)_{ij} = \frac{b_i - b_j}{m_i - m_j}\, dM_{ij} $$

    So a direction that is kept moves towards one whose size is 0: where that is 0 for the lack of
    what is shared, it is no less a part of the space.

    Args:
        size: $b = f(m)$, (k,), >= 0, with its own derivative.
        form: $M$, (k, k).
        slope: $(b_i - b_j)/(m_i - m_j)$, (k, k), and $f'$ where both are equal; see `clipped`.

    Source: derived (divided differences of a function of a matrix).
    """
    kept, eye = size > 0, jnp.eye(size.size, dtype=size.dtype)
    both, beside = kept[:, None] & kept[None, :], kept[:, None] & ~kept[None, :]
    # What is off the diagonal is rounding in value.
    turn = jnp.where(eye == 1, 0, slope * (form - jax.lax.stop_gradient(form)))
    safe = jnp.where(kept, size, 1)
    within = jnp.linalg.cholesky(jnp.diag(safe) + jnp.where(both, turn, 0)).T
    return jnp.where(both, within, jnp.where(beside, turn / jnp.sqrt(safe)[:, None], 0))


def clipped(line: Float[Array, " k"], values: Float[Array, " k"], slope: Array) -> Array:
    r"""Return the slopes, (k, k), that `code_root` takes of $\max(0, \mathrm{slope}\, m + c)$.

    Args:
        line: what is clipped at 0, (k,).
        values: $m$, (k,).
        slope: >= 0, finite; where `line` isn't, those of two that are kept mean nothing.
    """
    up = line > 0
    apart = jnp.abs(values[:, None] - values[None, :])
    one = up[:, None] != up[None, :]  # b - 0 over what lies between, more than 0
    across = jnp.where(one, jnp.maximum(line[:, None], line[None, :]), 0)
    across = across / jnp.where(one & (apart > 0), apart, 1)
    return jax.lax.stop_gradient(jnp.where(up[:, None] & up[None, :], slope, across))


def _whitened(
    G: Array, S: Array, spread: Moment, rounding: Array | None, count: Array | None
) -> tuple[Whitened, Array]:
    """Return G whitened by S, or by a diagonal spread, and the status."""

    def by_view(S: Array, G: Array) -> tuple[Whitener, Array, Array]:
        F = whitener(S, rounding, count)
        return F, F.whiten(F.whiten(G).T), F.rounding

    if spread.ndim == 2:
        F, M, precision = by_view(S, G)
        return Whitened(F, M, precision), F.status

    d, eps = S.shape[0], jnp.finfo(S.dtype).eps
    none = jnp.zeros_like(spread)
    variance = diagonal(S)
    share = none if rounding is None else blurred_share(S, rounding)
    scale = jnp.sqrt(jnp.where(spread > 0, spread, 1))

    def by_noise(S: Array, G: Array) -> tuple[Whitener, Array, Array]:
        M = G / scale[:, None] / scale[None, :]
        # Eigenvalues are blurred relative to the largest: a gap is real if it is there.
        blur = 4 * eps * d**0.5 + jnp.max(share) + by_chance(jnp.sum(share), count)
        error = blur * jnp.max(variance / spread)
        return Whitener(scale, jnp.eye(d, dtype=S.dtype), error, jnp.asarray(0)), M, blur

    # The noise must be worth dividing by: else rounding of the largest ratio swamps small scores.
    # Where all features that vary have like ratios, it is however small: adding it to G loses it.
    known = jnp.all(jnp.isfinite(S)) & jnp.all(share < 0.5) & jnp.all(spread > 0)
    ratio, varies = jnp.abs(variance) / scale**2, diagonal(G) != 0
    least = jnp.min(jnp.where(varies, ratio, jnp.inf))
    worth = known & (jnp.max(ratio) < 1e4 * jnp.maximum(1, least))
    F, M, precision = jax.lax.cond(worth, by_noise, by_view, S, G)
    return Whitened(F, M, precision, worth), F.status


def _by_eigenvalues(whitened: Whitened, values: Array) -> Array | int:
    """Return what is wrong with S, as its whitener would say, where none was needed."""
    if whitened.by_noise is None:
        return 0
    least, eps = 1 + values[-1], jnp.finfo(values.dtype).eps
    largest = jnp.maximum(jnp.max(jnp.abs(values)), 1)
    known = 10 * values.size * eps * largest
    # What two views share is negative by no more than half the noise: less than `known` may be 0.
    singular = jnp.where((least <= known) & (values[-1] < -known), Status.SINGULAR, 0)
    trouble = jnp.where(least < -known, Status.INDEFINITE, singular)
    # Beside large ratios small ones are lost, g/(1 + g) by d/(1 + g)^2: no digits are left of them.
    lost = jnp.any(eps * values.size**0.5 * largest > 0.01 * jnp.square(_total(whitened, values)))
    blurred = jnp.where((trouble == 0) & lost, Status.ILL_CONDITIONED, 0)
    return jnp.where(whitened.by_noise, trouble | blurred, 0)


def _decompose(whitened: Whitened, square: bool) -> tuple[Array, Array]:
    """Return eigenvalues, descending, and eigenvectors as columns."""
    M = whitened.matrix
    if square and M.shape[1] < M.shape[0]:
        # A thin decomposition of the small side; columns stay orthonormal where values are 0.
        Q, root, _ = jnp.linalg.svd(M, full_matrices=False)
        return jnp.square(root), Q
    values, Q = jnp.linalg.eigh(M @ M.T if square else M, symmetrize_input=False)
    values = values[::-1]
    return (jnp.maximum(values, 0) if square else values), Q[:, ::-1]


def _rows(whitened: Whitened, basis: Array, values: Array) -> Array:
    """Return rows, (m, d), with W S W^T = I, of a basis, (d, m)."""
    F, by_noise = whitened.by, whitened.by_noise
    if by_noise is None:
        return F.encoder(basis)
    plain = jax.lax.cond(by_noise, lambda Q: Q.T / F.scale[None, :], lambda Q: F.encoder(Q), basis)
    return plain / jnp.sqrt(_total(whitened, values))[:, None]


def _total(whitened: Whitened, values: Array) -> Array | float:
    """Return the eigenvalues of S in the coordinates of the decomposition.

    1 + g is at least 1/2 where no correlation is beyond 1: less is rounding, or told by the score.
    """
    if whitened.by_noise is None:
        return 1.0
    return jnp.where(whitened.by_noise, jnp.maximum(1 + values, 0.5), 1)


def _forms(rows: Array, M: Moment) -> Array:
    """Return w^T M w of every row."""
    return jnp.sum(multiply(rows, M) * rows, axis=1)


@partial(jax.custom_jvp, nondiff_argnums=(3, 4))
def _solve(
    H: Symmetric, N: Moment, whitened: Whitened, dim: int, inside: bool
) -> tuple[Array, Array, Array | None, Array]:
    """Return rows, scores, complement and eigenvalues: of H against N, or H + N (`inside`).

    What is `whitened` is known of H and N already: derivatives are through those. The derivative of
    the derivative is through both, and so through eigenvectors: NaN where any scores are equal.
    """
    values, basis = _decompose(whitened, isinstance(H, Square))
    W = _rows(whitened, basis[:, :dim], values[:dim])
    scores = values / _total(whitened, values)
    return W, scores, _forms(W, N) if inside else None, values


@_solve.defjvp
def _solve_jvp(dim: int, inside: bool, primals: tuple, tangents: tuple):
    (H, N, whitened), (dH, dN, _) = primals, tangents
    values, basis = _decompose(whitened, isinstance(H, Square))
    W = _rows(whitened, basis, values)
    total = jnp.broadcast_to(_total(whitened, values), values.shape)
    scores = values / total
    complement = _forms(W[:dim], N) if inside else None
    # Of S = H + N: dH - omega dS = (1 - omega) dH - omega dN, without cancellation.
    ones = jnp.ones_like(scores)
    share = ones if complement is None else jnp.append(complement, 1 - scores[dim:])
    by_H, by_N = _moved(W, H, dH), _moved(W, N, dN)
    moved = share[:, None] * by_H - scores[:, None] * by_N
    d_scores = jnp.sum(moved * W, axis=1)

    kept, rest = W[:dim], W[dim:]
    dS = by_N[:dim] + by_H[:dim] if inside else by_N[:dim]
    # g/(1 + g) - h/(1 + h) = (g - h)/((1 + g)(1 + h)); ties are those of what was decomposed.
    apart = values[:dim, None] - values[None, dim:]
    known = whitened.precision * jnp.max(jnp.abs(values))
    tied, gaps = apart <= known, apart / (total[:dim, None] * total[None, dim:])
    dW = _over(moved[:dim] @ rest.T, gaps, tied) @ rest - (dS @ kept.T) @ kept / 2
    if len(W) < W.shape[1]:  # a thin basis leaves out rows of score 0, S^{-1} - W^T W
        F, m = whitened.by, moved[:dim]
        nothing = F.encoder(F.whiten(m.T)) - (m @ W.T) @ W
        dW = dW + _over(nothing, scores[:dim, None], values[:dim, None] <= known)
    out = kept, scores, complement, values
    d_complement = None if complement is None else -d_scores[:dim]
    return out, (dW, d_scores, d_complement, jnp.zeros_like(values))


def _moved(rows: Array, M: Moment | Square, dM: Moment | Square) -> Array:
    """Return rows @ dM, of a symmetric M."""
    if isinstance(M, Square) and isinstance(dM, Square):
        A, dA = M.factor, dM.factor
        return (rows @ dA) @ A.T + (rows @ A) @ dA.T
    assert not isinstance(dM, Square)  # a tangent is of the type of what moves
    return multiply(rows, dM if dM.ndim == 1 else (dM + dM.T) / 2)


def _over(value: Array, gaps: Array, tied: Array) -> Array:
    """Divide by gaps, and by ties not at all."""
    return jnp.where(tied, 0, value / jnp.where(tied, 1, gaps))
