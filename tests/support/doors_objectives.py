"""Doors from arrays to solutions: every objective, of data under noise on every feature."""

from collections.abc import Callable
from typing import Any

import any_arrays
import jax.numpy as jnp
import long_double as ld
import numpy as np
from any_arrays import Thrown, read
from doors import (
    REFUSED,
    STEPS,
    Door,
    Found,
    Want,
    apart,
    beside,
    noise_of,
    range_of,
    reliable,
    rows_of,
)

import linssl
from linssl import objectives, pairs
from linssl.linalg.status import FATAL

WEIGHT, PRICE, BETA = 0.5, 0.75, 0.5
LONG = np.longdouble


def size_of(case: Thrown) -> int:
    """Return k: few codes, of so many features."""
    return 1 if case.shape[1] < 3 else 2


def _views(case: Thrown) -> linssl.Views:
    return linssl.two_views(case.x, linssl.GaussianNoise(noise_of(case)))


def _clean(case: Thrown) -> linssl.PairMoments:
    return linssl.view_and_clean(case.x, linssl.GaussianNoise(noise_of(case)))


def found(s: linssl.Solution) -> Found:
    """Return the numbers of a solution, after a look at what holds of any."""
    _consistent(s)
    return {"loss": s.loss, "spectrum": s.spectrum}, int(s.status)


def _consistent(s: linssl.Solution) -> None:
    numbers = [s.loss, s.spectrum, s.encoder]
    if int(s.status) & FATAL:
        assert all(np.isnan(a).all() for a in numbers), "fatal, but not NaN"
    else:
        assert all(np.isfinite(a).all() for a in numbers), "not finite, but not fatal"
    assert (linssl.explain(s)[:2] == "OK") == (int(s.status) == 0), "explain disagrees"


class Facts:
    """Oracle: what follows from C = Cov(x) and noise on it, in long double."""

    def __init__(self, case: Thrown, rows: Any, noise: np.ndarray):
        self.case, self.rows, self.dim = case, rows, size_of(case)
        self.C, self.N = rows.S, np.diag(noise.astype(LONG))
        self.S = self.C + self.N
        self.F = ld.factor(self.S)
        self.error, self.clear = reliable(self.S, rows.blur, rows.eps)
        # Where noise on each feature is above 1e-4 of its variance, joint embedding is whitened by
        # it: scores are known to as much less as the largest variance is above its noise.
        blur = STEPS * len(self.S) * rows.eps * float(np.max(np.diagonal(self.S) / noise))
        self.scores_error = min(max(self.error, blur), 0.1)
        self.hidden = rows.hidden(np.diagonal(self.S), ld.condition(self.S))

    @property
    def omega(self) -> np.ndarray:
        assert self.F is not None
        half = ld.solve(self.F, self.C)
        return ld.eigh(ld.solve(self.F, half.T))[0]

    @property
    def complement(self) -> np.ndarray:
        assert self.F is not None
        half = ld.solve(self.F, self.N)
        return ld.eigh(ld.solve(self.F, half.T))[0][::-1]

    @property
    def trace(self) -> float:
        return float(np.trace(self.C))

    def clearly(self, scores: np.ndarray) -> bool:
        return self.clear and apart(scores, self.dim, self.scores_error, self.hidden)


Answer = tuple[dict[str, tuple[Any, Any]], bool]  # numbers; whether all is clear


LEAST = float(np.finfo(np.float32).tiny)  # of a noise that is given, in any precision


def objective(
    solve: Callable[[Thrown, int], linssl.Solution],
    answer: Callable[[Facts], Answer],
    read_out: Callable[[linssl.Solution], Found] = found,
    slow: bool = False,
) -> Door:
    """Return the door of an objective of data under `noise_of`."""

    def want(case: Thrown) -> Want:
        rows = rows_of(case.x)
        if rows is None or range_of(rows) == "lost":
            return REFUSED
        facts = Facts(case, rows, noise_of(case))
        numbers, clear = answer(facts)
        little = slow and same_noise(case) < LEAST  # models of groups refuse that
        # What is noise in this precision must be held, too; and its squares.
        border = little or range_of(rows) == "border"
        info = np.finfo(rows.dtype)
        variance = np.diagonal(facts.S)
        tight = variance.max() > info.max**0.5 or variance.min() < info.tiny**0.5
        return Want(numbers, clear=clear and not tight, border=border)

    return Door(lambda case: read_out(solve(case, size_of(case))), want, slow=slow)


def scored(loss: Any, spectrum: Any, error: float, unit: Any = 1) -> dict[str, tuple[Any, Any]]:
    return {"loss": (loss, error * unit), "spectrum": (spectrum, error * unit)}


def _je(f: Facts) -> Answer:
    return scored(2 * f.complement[: f.dim].sum(), f.omega, f.scores_error * f.dim), f.clearly(
        f.omega
    )


def _rc(f: Facts) -> Answer:
    phi2 = _explained(f)
    return scored(f.trace - phi2[: f.dim].sum(), phi2, f.error, f.trace), f.clearly(phi2)


def _explained(f: Facts) -> np.ndarray:
    assert f.F is not None
    M = ld.solve(f.F, f.C)
    return ld.eigh(M @ M.T)[0]


def _supervised(case: Thrown) -> Want:
    rows, y = rows_of(case.x), beside(case)
    if rows is None:
        return REFUSED
    label = rows_of(y, rows.dtype)
    if label is None or range_of(rows, label) == "lost":
        return REFUSED
    f = Facts(case, rows, noise_of(case))
    C, K = label.S, ld.moments(rows.X, label.X)[2]
    assert f.F is not None
    M = ld.solve(f.F, K)
    total, n = np.trace(C), len(rows.X)
    few = n - 1 <= 2 * len(f.S)
    if not total:  # one row: nothing varies
        return Want({"loss": (0, 0)}, clear=False)
    return Want(
        {"loss": (total - np.sum(M**2), f.error * total)},
        clear=f.clear and not few,
        border=range_of(rows, label) == "border",
    )


def _supervise(case: Thrown) -> Found:
    pair = linssl.augment_sides(
        linssl.with_label(case.x, beside(case)), linssl.GaussianNoise(noise_of(case)), None
    )
    return found(linssl.supervised(pair))


def _two_noisy(case: Thrown) -> linssl.PairMoments:
    other = linssl.GaussianNoise(np.full(2, 0.5))
    pair = pairs.two_modalities(case.x, beside(case))
    return linssl.augment_sides(pair, linssl.GaussianNoise(noise_of(case)), other)


def _correlate(case: Thrown) -> Found:
    return found(linssl.canonical_correlation(_two_noisy(case), 1))


def _correlations(case: Thrown) -> Want:
    dtype = any_arrays.kept(case.x, beside(case))
    sides = [rows_of(side, dtype) for side in (case.x, beside(case))]
    if sides[0] is None or sides[1] is None or range_of(*sides) == "lost":
        return REFUSED
    f = Facts(case, sides[0], noise_of(case))
    K = ld.moments(sides[0].X, sides[1].X)[2]
    C = sides[1].S + 0.5 * np.eye(2)
    M = ld.whitened(K, f.S, C)
    assert M is not None
    rho = np.sqrt(np.maximum(ld.eigh(M.T @ M if len(M) > 1 else M @ M.T)[0], 0))
    rho = rho[: min(M.shape)]
    error, clear = reliable(C, sides[1].blur, f.rows.eps)
    error = max(error, f.error)
    few = len(sides[0].X) - 1 <= 2 * sum(M.shape)
    hidden = f.hidden + sides[1].hidden(np.diagonal(C), ld.condition(C))
    clear = clear and f.clear and not few and apart(rho, 1, error, hidden)
    # The root of a square: long double's own rounding shows where nothing is shared.
    numbers = scored(2 * (1 - rho[0]), rho, error + 1e-9)
    info, variance = np.finfo(dtype), np.diagonal(f.S)
    tight = variance.max() > info.max**0.5 or variance.min() < info.tiny**0.5
    return Want(numbers, clear=clear and not tight, border=range_of(*sides) == "border")


def _axes(f: Facts) -> tuple[np.ndarray, float]:
    g = ld.eigh(f.C)[0]
    return g, STEPS * f.rows.eps * len(g)


def _aligned(f: Facts) -> Answer:
    g, error = _axes(f)
    return scored(-g[: f.dim].sum(), g, error, float(g[0])), apart(
        g, f.dim, error, f.rows.hidden(g[0] or 1)
    )


def _invariant(f: Facts) -> Answer:
    sigma = np.sort(np.diagonal(f.N))
    error = STEPS * f.rows.eps * len(sigma)
    numbers = scored(2 * sigma[: f.dim].sum(), -sigma, error, float(sigma[-1]))
    gap = np.inf if f.dim == len(sigma) else sigma[f.dim] - sigma[f.dim - 1]
    wide = bool(sigma[0] > 10 * error * np.diagonal(f.S).max())
    return numbers, wide and bool(gap > 10 * error * sigma[-1])


def _white(s: linssl.Solution, views: linssl.Views) -> Found:
    _, status = found(s)
    W, G = (np.asarray(a, float) for a in (s.encoder, views.shared))
    return {"loss": s.loss, "spectrum": s.spectrum, "white": W @ G @ W.T}, status


def _twins(f: Facts) -> Answer:
    g, error = _axes(f)
    clear = apart(g, f.dim, error, f.rows.hidden(g[0] or 1))
    # Whitened by G alone, digits are those of its own condition.
    share = float(g[f.dim - 1] / g[0]) if g[0] > 0 and clear else 1.0
    numbers = {"spectrum": (g, error * float(g[0])), "white": (np.eye(f.dim), error / share)}
    if not clear:
        numbers.pop("white")
    else:
        numbers["loss"] = 0, 0
    return numbers, clear


def _contrastive(f: Facts) -> Answer:
    omega = f.omega
    loss = -np.sum(omega[: f.dim] ** 2)
    return scored(loss, omega, 4 * f.scores_error), f.clearly(omega) and _large(omega, f)


def _large(size: np.ndarray, f: Facts) -> bool:
    """Say whether what codes are scaled by is clearly above what counts as 0."""
    return bool(size[f.dim - 1] > 10 * f.rows.eps**0.5)


def _info(f: Facts) -> Answer:
    rho = f.omega
    return scored(-np.sum(rho[: f.dim] ** 2) / 2, rho, 4 * f.error), (
        f.clearly(rho) and _large(rho, f)
    )


def _soft(f: Facts) -> Answer:
    size = np.maximum(0, 1 - PRICE * f.complement)
    loss = np.sum(1 - size[: f.dim] ** 2)
    return scored(loss, f.omega, 4 * f.scores_error), f.clearly(f.omega) and _large(size, f)


def _path(f: Facts) -> Answer:
    M = ld.whitened(f.C, f.S, f.C)
    error, clear = reliable(f.C, f.rows.blur, f.rows.eps)
    if M is None:
        return {}, False
    first = ld.solve(f.F, f.C)
    s = ld.eigh(first @ first.T + WEIGHT * (M @ M.T))[0]
    unit = f.trace + WEIGHT
    loss = f.trace + WEIGHT * f.dim - s[: f.dim].sum()
    error = min(error + f.error, 0.1)
    return scored(loss, s, error, 2 * unit), clear and f.clear and apart(s, f.dim, error, f.hidden)


def _plda(f: Facts) -> Answer:
    J, d, omega = 3, len(f.S), np.maximum(f.omega, 0)
    kept = omega[: f.dim]
    assert f.F is not None
    logdet = 2 * np.sum(np.log(np.diagonal(f.F)))
    fit = np.log1p((J - 1) * kept) + (J - 1) * np.log(f.complement[: f.dim])
    loss = (J * logdet + fit.sum() + J * d * (1 + np.log(2 * LONG(np.pi)))) / 2
    least = float(f.complement[0])
    error = f.scores_error * J * d / least + 4 * f.rows.eps * abs(float(loss))
    numbers = {"loss": (loss, error), "spectrum": (f.omega, f.scores_error)}
    return numbers, f.clearly(f.omega) and least > 100 * d * f.rows.eps


def _ada(f: Facts) -> Answer:
    rho = f.omega
    eta = 1 - rho[: f.dim] ** 2
    D = np.minimum(eta, BETA)
    loss = np.sum(D / 2 + BETA / 2 * np.log(np.where(eta > BETA, eta / BETA, 1)))
    numbers = {"loss": (loss, 4 * f.error), "spectrum": (rho, f.error)}
    known = bool(np.all(eta > 200 * f.hidden))  # two digits of each are
    return numbers, f.clearly(rho) and known


def _channels(f: Facts) -> tuple[np.ndarray, np.ndarray, float]:
    """Return both channels of two views, as eigenvalues, under the same noise on every feature."""
    g = np.maximum(ld.eigh(f.C)[0], 0)
    s = LONG(np.float64(same_noise(f.case)))
    return 2 * g + s, np.full(len(g), s), float(s)


def same_noise(case: Thrown) -> float:
    """Return the variance of noise that all features share."""
    return float(noise_of(case).max())


def _alike(case: Thrown) -> linssl.Views:
    """Return two views under the same noise on every feature: moments that commute."""
    d = max(case.shape[1], 1)
    return linssl.two_views(case.x, linssl.GaussianNoise(np.full(d, same_noise(case))))


def _latent(
    price: Callable[[Any, Any, Any, float], Any], alone: Callable[[Any, Any, float], Any]
) -> Callable[[Facts], Answer]:
    """Return the oracle of a model of codes: each direction by itself, the k best of them."""

    def answer(f: Facts) -> Answer:
        b, w, s = _channels(f)
        if s < LEAST:
            return {}, False
        none = [alone(*pair, s) for pair in zip(b, w, strict=True)]
        best = [
            ld.least(lambda m, pair=pair: price(m, *pair, s), 1e-9 * s, 1e3 * float(b[0]))
            for pair in zip(b, w, strict=True)
        ]
        gains = np.sort(np.array(none) - np.array(best))[::-1]
        loss = sum(none) - gains[: f.dim].sum()
        # EM stops where its gradient is small; what it misses is that, squared.
        error = 1e3 * f.rows.eps * (float(b[0] / s) + abs(float(loss))) + 1e-7
        if f.rows.dtype == np.float32:
            error = error + 1e-4 * abs(float(loss))
        clear = gains[f.dim - 1] > 0.01 and (
            f.dim == len(b) or gains[f.dim - 1] > 1.1 * gains[f.dim]
        )
        sure = f.clear and float(b[0] / s) < 1e4 and f.rows.dtype == np.float64
        return {"loss": (loss, error)}, bool(clear and sure and f.dim < len(b))

    return answer


STYLE = 0.5


def likelihood(m: Any, b: Any, w: Any, s: float) -> Any:
    """Return the part of a direction of size m in the NLL of two views: plus, minus channel."""
    plus, minus = (2 + STYLE) * m + s, STYLE * m + s
    two_pi = np.log(2 * LONG(np.pi))
    return (np.log(plus) + b / plus + np.log(minus) + w / minus) / 2 + two_pi


def no_code(b: Any, w: Any, s: float) -> Any:
    """Return the part of a direction that no code has: noise alone."""
    return np.log(2 * LONG(np.pi) * s) + (b + w) / (2 * s)


def _minus_elbo(m: Any, b: Any, w: Any, s: float) -> Any:
    """Return the part of a direction in - ELBO, at the best encoder e and variance q."""
    J, tau = 2, 2 + STYLE
    t, p = b + w, b / tau + w / LONG(STYLE)
    a = 1 / LONG(tau) + 1 / LONG(STYLE)
    e = np.sqrt(m) * t / (m * t + s * p)
    q = J / (J * m / s + a)
    miss = ((1 - np.sqrt(m) * e) ** 2 * t + J * m * q) / s
    inside = miss + e * e * p + a * q + np.log(tau) + np.log(LONG(STYLE)) - J * (np.log(q) + 1)
    return (J * np.log(2 * LONG(np.pi) * s) + inside) / 2


def _simvae(case: Thrown, dim: int) -> linssl.Solution:
    return linssl.simvae(_alike(case), dim, 2, style=STYLE, noise=same_noise(case))


def _factorised(case: Thrown, dim: int) -> linssl.Solution:
    given = {"style": STYLE, "noise": same_noise(case)}
    return objectives.factorised_simvae(_alike(case), dim, 2, **given)


def _bound(case: Thrown) -> Found:
    W = case.dress(_decoder(case))
    bound = objectives.simvae_elbo(_plain_views(case), W, 2, style=STYLE, noise=0.5)
    return {"value": bound.value}, 0


def _decoder(case: Thrown) -> np.ndarray:
    return np.random.default_rng(case.seed).uniform(0.25, 2, (case.shape[1], 1))


def _plain_views(case: Thrown) -> linssl.Views:
    d = case.shape[1]
    return linssl.two_views(
        np.random.default_rng(3).standard_normal((50, d)), linssl.GaussianNoise(np.full(d, 0.5))
    )


def _bound_wanted(case: Thrown) -> Want:
    dressed = case.dress(_decoder(case))
    W = read(dressed)
    if W is None:
        return REFUSED
    if not np.isfinite(W).all():
        return Want({"value": (np.nan, 0)}, border=True)
    d, J, s, tau = len(W), 2, LONG(0.5), LONG(2 + STYLE)
    C = ld.moments(np.random.default_rng(3).standard_normal((50, d)).astype(LONG))[0]
    B, Wn = 2 * C + 0.5 * np.eye(d), 0.5 * np.eye(d)
    T, P = B + Wn, B / tau + Wn / LONG(STYLE)
    a = 1 / tau + 1 / LONG(STYLE)
    w, m = W[:, 0], W[:, 0] @ W[:, 0]
    inverse = ld.inverse(m * T / s + P)
    assert inverse is not None
    e = inverse @ (T @ w / s)
    q = J / (J * m / s + a)
    R = np.eye(d) - np.outer(w, e)
    inside = (np.trace(R @ T @ R.T) + J * m * q) / s + e @ P @ e + a * q
    inside = inside + np.log(tau) + np.log(LONG(STYLE)) - J * (np.log(q) + 1)
    value = -(J * d * np.log(2 * LONG(np.pi) * s) + inside) / 2
    eps = float(np.finfo(any_arrays.kept(np.ones(1))).eps)
    return Want({"value": (value, 1e3 * eps * abs(float(value)) * (1 + float(m)))})


def _identified(case: Thrown, dim: int) -> linssl.Solution:
    s = linssl.joint_embedding(_views(case), dim)
    same = linssl.identified(s)
    kept = np.asarray(s.spectrum[:dim]) > 10 * float(jnp.finfo(s.spectrum.dtype).eps) ** 0.5
    if kept.all():
        assert (np.asarray(same.encoder) == np.asarray(s.encoder)).all(), "what is identified moved"
    return same


def _checked(case: Thrown) -> Found:
    s = linssl.joint_embedding(_views(case), size_of(case))
    try:
        return found(linssl.check(s))
    except objectives.NumericalTroubleError:
        assert int(s.status), "check raised for no reason"
        return found(s)


def _codes(case: Thrown) -> Found:
    """Encode the data themselves, and a decoded code too."""
    s = linssl.reconstruction(_clean(case), size_of(case))
    X = case.x
    Z, Y = (np.asarray(a, float) for a in (s(X), s.predict(X)))
    target = np.asarray(s.second_mean, float)
    D = np.asarray(s.decoder, float)
    assert np.isnan(Z).any() or np.allclose(
        Y - target, Z @ D.T, rtol=1e-5, atol=1e-5 * (np.abs(Y).max() + np.abs(target).max())
    ), "predict isn't the decoded code"
    return {"codes": np.sum(Z**2) / max(len(Z), 1)}, int(s.status)


def _codes_wanted(f: Facts) -> Answer:
    # The variance of the codes of x under W, of rows W S W^T = I: k - tr W N W^T.
    assert f.F is not None
    M = ld.solve(f.F, f.C)
    values, Q = ld.eigh(M @ M.T)
    Q = Q[:, : f.dim]
    noise = ld.solve(f.F, ld.solve(f.F, f.N).T)
    size = f.dim - np.trace(Q.T @ noise @ Q)
    largest = max(float(values[0]), 1e-300)
    gap = np.inf if f.dim == len(values) else float(values[f.dim - 1] - values[f.dim]) / largest
    # Codes are of x - mean, which is kept in this precision.
    lost = f.rows.eps * float(np.sum(np.abs(f.rows.mean) / np.sqrt(np.diagonal(f.S))))
    error = min(
        f.error / max(min(gap, 1), 1e-300) + 4 * STEPS * lost * ld.condition(f.S) ** 0.5, 1.0
    )
    if not gap > 1e-3:
        return {}, False
    return {"codes": (size, error * f.dim)}, f.clearly(values)


VIEWS: dict[str, tuple[Callable[[linssl.Views, int], linssl.Solution], Any]] = {
    "joint_embedding": (linssl.joint_embedding, _je),
    "alignment_only": (objectives.alignment_only, _aligned),
    "invariance_only": (objectives.invariance_only, _invariant),
    "spectral_contrastive": (objectives.spectral_contrastive, _contrastive),
    "soft_constraint": (lambda v, k: objectives.soft_constraint(v, k, PRICE), _soft),
    "plda": (lambda v, k: objectives.plda(v, k, 3), _plda),
    "info_nce": (lambda v, k: objectives.info_nce(v.as_pair(), k), _info),
    "adassl": (lambda v, k: objectives.adassl(v.as_pair(), k, BETA), _ada),
}
DOORS: dict[str, Door] = {
    **{
        name: objective(lambda c, k, solve=solve: solve(_views(c), k), answer)
        for name, (solve, answer) in VIEWS.items()
    },
    "barlow_twins": Door(
        lambda c: _white(objectives.barlow_twins(_views(c), size_of(c)), _views(c)),
        objective(lambda c, k: objectives.barlow_twins(_views(c), k), _twins).want,
    ),
    "reconstruction": objective(lambda c, k: linssl.reconstruction(_clean(c), k), _rc),
    "reconstruction_path": objective(
        lambda c, k: objectives.reconstruction_path(_clean(c), k, WEIGHT), _path
    ),
    "supervised": Door(_supervise, _supervised),
    "canonical_correlation": Door(_correlate, _correlations),
    "simvae": objective(_simvae, _latent(likelihood, no_code), slow=True),
    "factorised_simvae": objective(_factorised, _latent(_minus_elbo, no_code), slow=True),
    "simvae_elbo": Door(_bound, _bound_wanted, lambda shape: shape[1] > 0),
    "identified": objective(_identified, _je),
    "check, explain": Door(
        _checked, objective(lambda c, k: linssl.joint_embedding(_views(c), k), _je).want
    ),
    "Solution, of rows": Door(
        _codes, objective(lambda c, k: linssl.reconstruction(_clean(c), k), _codes_wanted).want
    ),
}
