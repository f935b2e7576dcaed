"""Doors of labels, metrics, estimators, files, sweeps, and what else takes an array."""

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import any_arrays
import equinox as eqx
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
    Want,
    beside,
    fitted,
    noise_of,
    of_rows,
    range_of,
    rows_of,
)
from doors_moments import pair_found, pair_wanted, views_found
from doors_objectives import LEAST, STYLE, Facts, likelihood, no_code, size_of

import linssl
from linssl import estimators, metrics, pairs
from linssl.linalg import projector
from linssl.populations.content_style import Problem

LONG = np.longdouble
NAMES = {
    "int64": lambda c: c,
    "int8": lambda c: c.astype(np.int8),
    "uint8": lambda c: c.astype(np.uint8),
    "big-endian": lambda c: c.astype(">i4"),
    "whole floats": lambda c: c.astype(float),
    "whole halves": lambda c: c.astype(np.float16),
    "text": lambda c: np.array(["cat", "dog", "eel"])[c],
    "bytes": lambda c: np.array([b"cat", b"dog", b"eel"])[c],
    "objects": lambda c: np.array(["cat", "dog", "eel"], object)[c],
    "dates": lambda c: np.array(["2020", "2021", "2022"], "datetime64[Y]")[c],
    "column": lambda c: c[:, None],
    "reversed": lambda c: c[::-1].copy()[::-1],
    "not masked": lambda c: np.ma.masked_array(c, np.zeros(len(c), bool)),
    "missing": lambda c: np.where(np.arange(len(c)) > 0, c.astype(float), np.nan),
    "masked": lambda c: np.ma.masked_array(c, np.arange(len(c)) == 0),
    "fractions": lambda c: c + 0.5,
}
WRONG = ("missing", "masked", "fractions")


def classes(case: Thrown) -> np.ndarray:
    """Return the class of each row by number, of two classes or three."""
    n = case.shape[0]
    return np.arange(n) % (2 if n < 12 else 3)


def labels(case: Thrown) -> tuple[Any, bool]:
    """Return names of classes, and whether they are right."""
    kind = list(NAMES)[case.seed % len(NAMES)]
    c = classes(case)
    return NAMES[kind](c), kind not in WRONG and len(c) > 0


def _of_pairs(case: Thrown, X: np.ndarray, p: float, q: float) -> tuple[np.ndarray, ...]:
    """Return G, S and the mean of pairs of rows, by the law of each pair of instances."""
    c, n = classes(case), len(X)
    size = np.bincount(c)[c].astype(LONG)
    same = (c[:, None] == c) & ~np.eye(n, dtype=bool)
    right = np.where(same, 1 / (n * (size - 1)), 0)
    other = np.where(c[:, None] == c, 0, LONG(1) / n**2)
    wrong = other + np.where(same, size / (LONG(n) ** 2 * (size - 1)), 0)
    law = (1 - p) * np.eye(n, dtype=LONG) / n + p * ((1 - q) * right + q * wrong)
    mean = law.sum(1) @ (X - X[0])
    around = X - X[0] - mean
    G, S = around.T @ law @ around, (around.T * law.sum(1)) @ around
    return G, S, X[0] + mean


P, Q = 0.75, 0.25


def _same_class(case: Thrown) -> Want:
    rows = rows_of(case.x)
    if rows is None or not labels(case)[1] or len(rows.X) < 4 or range_of(rows) == "lost":
        return REFUSED
    G, S, mean = _of_pairs(case, rows.X, P, Q)
    return Want(
        {
            "shared": (G, rows.off),
            "spread": (S - G, rows.off),
            "mean": (mean, rows.mean_off),
            "precision": (np.finfo(rows.dtype).bits, 0),
        },
        border=range_of(rows) == "border",
    )


def _class_label(case: Thrown) -> Want:
    rows = rows_of(case.x)
    if rows is None or not labels(case)[1] or range_of(rows) == "lost":
        return REFUSED
    c = classes(case)
    column = np.ndim(labels(case)[0]) == 2  # numbers to be predicted
    label = rows_of(c[:, None] if column else np.eye(c.max() + 1)[c], rows.dtype)
    assert label is not None
    return Want(pair_wanted(rows, label), border=range_of(rows) == "border")


def _one_hot(case: Thrown) -> Want:
    c = classes(case)
    return Want({"rows": (np.eye(c.max() + 1)[c], 0)}) if labels(case)[1] else REFUSED


def _tuples(case: Thrown) -> Found:
    tuples = pairs.class_tuples(case.x, labels(case)[0], 2, jax.random.key(case.seed % 97))
    X, c = read(case.x), classes(case)
    assert X is not None
    X = X.astype(any_arrays.kept(case.x))
    of_class = [set(map(tuple, X[c == k].tolist())) for k in range(c.max() + 1)]
    drawn = [[tuple(view) for view in group] for group in np.asarray(tuples).tolist()]
    together = sum(any(set(group) <= rows for rows in of_class) for group in drawn)
    rows = sorted(map(tuple, X.tolist()))
    for view in itertools.chain(*drawn):
        rows.remove(view)  # each once
    return {"groups": len(drawn), "together": together}, 0


def _tuples_wanted(case: Thrown) -> Want:
    rows = rows_of(case.x)
    if rows is None or not labels(case)[1] or len(rows.X) < 3:
        return REFUSED
    with np.errstate(over="ignore"):
        held = np.isfinite(rows.X.astype(rows.dtype)).all()
    groups = sum(np.bincount(classes(case)) // 2)
    return Want({"groups": (groups, 0), "together": (groups, 0)}) if held else REFUSED


# Metrics.
def _codes(case: Thrown, seed: int = 0, rows: int = 2) -> np.ndarray:
    d = case.shape[1]
    return np.random.default_rng(case.seed + seed).standard_normal((min(rows, d), d))


def _distance_of(W: np.ndarray, V: np.ndarray) -> tuple[float, float]:
    """Return the distance of two row spaces, and the condition of their rows."""
    (Q, sine), (R, other) = (ld.basis(A / np.abs(A).max(1, keepdims=True)) for A in (W, V))
    rest = R - (R @ Q.T) @ Q
    return float(np.sum(rest**2) / len(R)), 1 / max(min(sine, other), 1e-300)


def _distance_wanted(case: Thrown, features: bool) -> Want:
    dressed = case.dress(_thrown_rows(case))
    W = read(dressed)
    if W is None or W.size == 0:
        return REFUSED
    if not np.isfinite(W).all():
        return Want({"distance": (np.nan, 0)}, clear=False)
    k, d = W.shape
    V = np.eye(d)[:k] if features else _codes(case, 9, k)
    if (np.abs(W).max(1) == 0).any():
        return Want({"distance": (np.nan, 0)})
    wanted, cond = _distance_of(W, V.astype(LONG))
    eps = float(np.finfo(any_arrays.kept(dressed)).eps)
    if cond * eps * 10 * d > 0.01:  # they may span no such space
        return Want({}, lost=False, clear=False)
    return Want({"distance": (wanted, STEPS * eps * d * cond)})


def _thrown_rows(case: Thrown) -> np.ndarray:
    """Return as many rows as there are codes, of the kind that the numbers are."""
    n, d = case.shape
    return case.values[: min(2, d, n)]


def _distance(case: Thrown, features: bool) -> Found:
    W = case.dress(_thrown_rows(case))
    V = list(range(len(W))) if features else _codes(case, 9, len(W))
    return {"distance": linssl.subspace_distance(W, V)}, 0


def _relative(case: Thrown) -> Want:
    V = read(case.x)
    if V is None:
        return REFUSED
    V_star = np.random.default_rng(case.seed + 4).standard_normal(V.shape)
    if not np.isfinite(V).all():
        with np.errstate(over="ignore"):
            error = np.sqrt(np.sum((V - V_star) ** 2))
        return Want({"error": (error, 0)})
    if not V.size:
        return Want({"error": (np.nan, 0)})
    unit = np.abs(V_star).max()
    error = np.sqrt(np.sum(((V - V_star) / unit) ** 2) / np.sum((V_star / unit) ** 2))
    info = np.finfo(any_arrays.kept(case.x))
    if float(np.abs(V).max()) > info.max**0.5 / 10:
        return Want({"error": (np.inf, 0)}, border=True, clear=False)
    return Want({"error": (error, STEPS * float(info.eps) * float(error))})


def _probe_wanted(case: Thrown, encoder_thrown: bool) -> Want:
    """Return R^2, the risk and the probe of codes: of thrown data, or by a thrown encoder."""
    rows = rows_of(_plain(case) if encoder_thrown else case.x)
    W = read(case.dress(_codes(case))) if encoder_thrown else _codes(case).astype(LONG)
    if rows is None or W is None or W.size == 0:
        return REFUSED
    y = rows_of(_target(case, encoder_thrown), rows.dtype)
    if y is None or range_of(rows, y) == "lost":
        return REFUSED
    if not np.isfinite(W).all():
        return Want({"risk": (np.nan, 0), "r2": (np.nan, 0)}, clear=False)
    K = ld.moments(rows.X, y.X)[2]
    eps = rows.eps
    if encoder_thrown:
        eps = max(eps, float(np.finfo(any_arrays.kept(case.dress(_codes(case)))).eps))
    total = np.trace(y.S)
    scale = np.abs(W).max(1, keepdims=True)
    V = W / np.where(scale > 0, scale, 1)
    # What a code reads may cancel in its features.
    variance = np.diagonal(V @ rows.S @ V.T)
    size = (np.abs(V) @ rows.deviation) ** 2
    lost = (
        float(np.max(size / np.where(variance > 0, variance, 1)))
        if (variance > 0).all()
        else np.inf
    )
    Z, cross = V @ rows.S @ V.T, V @ K
    cond = ld.condition(Z) * lost
    if not cond * eps * 100 * len(rows.S) < 0.01 or not total > 0:
        return Want({}, clear=False)
    F = ld.factor(Z)
    assert F is not None
    explained = np.sum(ld.solve(F, cross) ** 2)
    off = STEPS * eps * len(rows.S) * cond * total
    numbers = {"risk": (total - explained, off), "r2": (explained / total, off / total)}
    return Want(numbers, border=range_of(rows, y) == "border")


def _plain(case: Thrown) -> np.ndarray:
    return np.random.default_rng(2).standard_normal((40, case.shape[1]))


def _target(case: Thrown, encoder_thrown: bool) -> np.ndarray:
    if not encoder_thrown:
        return beside(case)
    X = _plain(case)
    return X @ np.ones((X.shape[1], 1)) + np.random.default_rng(4).standard_normal((40, 1))


def _probe(case: Thrown, encoder_thrown: bool) -> Found:
    X = _plain(case) if encoder_thrown else case.x
    W = case.dress(_codes(case)) if encoder_thrown else _codes(case)
    pair = linssl.with_label(X, _target(case, encoder_thrown))
    risk, r2 = metrics.probe_risk(W, pair), metrics.probe_r2(W, pair)
    B = np.asarray(metrics.linear_probe(W, pair), float)
    V = np.asarray(W, float)
    S, K, C = (np.asarray(M, float) for M in (pair.first, pair.cross, pair.second))
    # The probe has the risk that is told.
    beta = V.T @ B
    left = np.trace(C) - 2 * np.sum(beta * K) + np.sum(beta * (S @ beta))
    total = np.trace(C)
    if np.isfinite(left) and total > 0 and pair.first.dtype == np.float64:  # single has few digits
        # Of one code, features may cancel.
        size = total + np.sum((np.abs(beta).T @ np.sqrt(np.diagonal(S))) ** 2)
        assert abs(left - float(risk)) <= 1e-6 * size, (left, risk)
    return {"risk": risk, "r2": r2}, 0


def _accuracy(case: Thrown) -> Found:
    X = case.x
    test = X[:3] if len(X) else X
    W = _codes(case)
    return {"share": metrics.probe_accuracy(W, X, labels(case)[0], test, labels(case)[0][:3])}, 0


def _accuracy_wanted(case: Thrown) -> Want:
    rows, W = rows_of(case.x), _codes(case).astype(LONG)
    if rows is None or not labels(case)[1] or len(np.unique(classes(case))) < 2 or not W.size:
        return REFUSED
    with np.errstate(over="ignore"):
        if not np.isfinite(rows.X.astype(rows.dtype)).all():
            return REFUSED
    Z = (rows.X - rows.mean) @ W.T
    cov = Z.T @ Z / len(Z)
    F = ld.factor(cov)
    # Codes are computed with the mean in them: 1e8 spreads of it leave half the digits.
    if F is None or ld.condition(cov) > 1e4 or (np.abs(rows.mean) > 1e5 * rows.deviation).any():
        return Want({}, clear=False, border=True)
    white = ld.solve(F, Z.T).T
    c = classes(case)
    names = 1 if c.max() == 1 else c.max() + 1
    margins = []
    for k in range(names):
        y = np.where(c == (1 if names == 1 else k), LONG(1), LONG(-1))
        B = white.T @ (y - y.mean()) / (len(Z) + 1)  # white^T white = n I; a ridge of 1
        margins.append(white[:3] @ B + y.mean())
    scores = np.array(margins).T
    close = (
        np.abs(scores).min() if names == 1 else np.min(np.diff(np.sort(scores, 1)[:, -2:], axis=1))
    )
    if close < 1e-4:
        return Want({}, clear=False)
    said = (scores[:, 0] > 0).astype(int) if names == 1 else scores.argmax(1)
    return Want({"share": (np.mean(said == c[:3]), 1e-12)})


# Estimators: in double precision always, whatever JAX is set to.
def _double(case: Thrown) -> Any:
    rows = rows_of(case.x, np.float64)
    X = np.asarray(case.x)
    coarse = X.dtype == np.float32 or X.dtype == np.dtype(">f4")
    return rows, 2.0**-23 if coarse else 2.0**-52


def estimator(
    make: Callable[[Thrown], Any],
    answer: Callable[[Facts], tuple[Any, Any, float, bool]],
    least: int = 2,
    labelled: bool = False,
) -> Door:
    def run(case: Thrown) -> Found:
        model = make(case)
        args = (case.x, labels(case)[0]) if labelled else (case.x,)
        model.fit(*args)
        Z = np.asarray(model.transform(case.x), float)
        assert Z.shape == (case.shape[0], size_of(case))
        if hasattr(model, "inverse_transform"):
            assert model.inverse_transform(Z).shape == case.shape
        numbers = {"loss": model.loss_, "spectrum": model.spectrum_}
        return numbers | {"codes": np.sum(Z**2) / len(Z)}, int(model.status_)

    def want(case: Thrown) -> Want:
        rows, coarse = _double(case)
        bad = labelled and (not labels(case)[1] or len(np.unique(classes(case))) < 2)
        if rows is None or len(rows.X) < least or bad:
            return REFUSED
        facts = Facts(case, rows, noise_of(case))
        numbers, codes, clear = answer(facts)
        little = answer is _simvae_codes and noise_of(case).max() < LEAST
        if codes is not None and facts.error < 1e-3:
            # Codes of single rows are kept in single; those of double, about a mean.
            mean = float(np.max(np.abs(rows.mean) / np.sqrt(np.diagonal(facts.S))))
            off = facts.error + 10 * coarse + STEPS * 2.0**-52 * mean * ld.condition(facts.S)
            numbers |= {"codes": (codes, min(off, 1.0) * facts.dim * 10)}
        return Want({} if little else numbers, clear=clear and not little, border=little)

    # That an array of objects which are no numbers is a TypeError is scikit-learn's own rule.
    return Door(lambda case: fitted(lambda: run(case)), want, errors=(ValueError, TypeError))


def _je_codes(f: Facts) -> Any:
    omega = f.omega
    numbers = {
        "loss": (2 * f.complement[: f.dim].sum(), f.scores_error * f.dim),
        "spectrum": (omega, f.scores_error),
    }
    clear = f.clearly(omega)
    return numbers, omega[: f.dim].sum() if clear else None, clear


def _rc_codes(f: Facts) -> Any:
    assert f.F is not None
    M = ld.solve(f.F, f.C)
    phi2 = ld.eigh(M @ M.T)[0]
    numbers = {
        "loss": (f.trace - phi2[: f.dim].sum(), f.error * f.trace),
        "spectrum": (phi2, f.error * f.trace),
    }
    return numbers, None, f.clearly(phi2)


def _semantic_codes(f: Facts) -> Any:
    c, X = classes(f.case), f.rows.X - f.rows.X[0]
    means = np.array([X[c == k].mean(0) for k in range(c.max() + 1)])[c]
    B = ld.moments(means)[0]
    W = f.C - B
    omega = ld.scores(P * B + (1 - P) * f.C, f.S)
    assert omega is not None
    del W
    numbers = {
        "loss": (2 * (1 - omega[: f.dim]).sum(), f.scores_error * f.dim),
        "spectrum": (omega, f.scores_error),
    }
    draws = len(X) - c.max() - 1
    return numbers, None, f.clearly(omega) and draws > 2 * len(f.S)


def _simvae_codes(f: Facts) -> Any:
    # Noise on every feature alike, so that moments commute.
    s = float(np.max(np.diagonal(f.N)))
    g = np.maximum(ld.eigh(f.C)[0], 0)
    b = 2 * g + s
    none = [no_code(v, LONG(s), s) for v in b]
    best = [
        ld.least(lambda m, v=v: likelihood(m, v, LONG(s), s), 1e-9 * s, 1e3 * float(b[0]))
        for v in b
    ]
    gains = np.sort(np.array(none) - np.array(best))[::-1]
    loss = sum(none) - gains[: f.dim].sum()
    clear = gains[f.dim - 1] > 0.01 and f.dim < len(b) and gains[f.dim - 1] > 1.1 * gains[f.dim]
    error = 1e3 * f.rows.eps * (float(b[0] / s) + abs(float(loss))) + 1e-7
    sure = bool(clear) and f.clear and float(b[0] / s) < 1e4
    return {"loss": (loss, error)}, None, sure


def _model(kind: Any, case: Thrown, **more: Any) -> Any:
    return kind(size_of(case), augmentation=0.0, aligned=noise_of(case), **more)


def _group_model(case: Thrown) -> Any:
    s, d = noise_of(case).max(), max(case.shape[1], 1)
    given = {"style": STYLE, "noise": float(s)}
    return estimators.SimVAE(size_of(case), augmentation=0.0, aligned=np.full(d, s), **given)


# Files, comparisons, designs, diagnoses, sweeps.
def _loaded(case: Thrown) -> Found:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "data.npz")
        np.savez(path, X=np.asarray(case.x))  # a file holds no mask
        return {"X": linssl.load_dataset(str(path)).X_train}, 0


def _loaded_wanted(case: Thrown) -> Want:
    X = np.asarray(case.x)
    if X.dtype.kind not in "fiub" or not sound(X.astype(LONG)):
        return REFUSED
    wanted = X.astype(LONG) / 255 if X.dtype == np.uint8 else X.astype(LONG)
    return Want({"X": (wanted, 2.0**-52 * np.abs(wanted))})


def _saved(case: Thrown) -> Found:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "moments.npz")
        linssl.save_moments(linssl.same_instance(case.x), path)
        return views_found(linssl.load_moments(path))


def _compared(case: Thrown) -> Found:
    noise = linssl.GaussianNoise(noise_of(case))
    pair = linssl.augment_sides(linssl.with_label(case.x, beside(case)), noise, None)
    views, clean = linssl.two_views(case.x, noise), linssl.view_and_clean(case.x, noise)
    table = linssl.compare(Problem(views, clean, {"y": pair}), ["joint_embedding"], [size_of(case)])
    return {"r2": table.r2.values.ravel()[0]}, int(table.status.values.ravel()[0])


def _compared_wanted(case: Thrown) -> Want:
    rows, y = rows_of(case.x), beside(case)
    if rows is None or range_of(rows) == "lost":
        return REFUSED
    label = rows_of(y, rows.dtype)
    assert label is not None
    f = Facts(case, rows, noise_of(case))
    if not np.trace(label.S) > 0:
        return Want({}, clear=False)
    assert f.F is not None
    values, basis = ld.eigh(ld.solve(f.F, ld.solve(f.F, f.C).T))
    M = ld.solve(f.F, ld.moments(rows.X, label.X)[2])
    r2 = np.sum((basis[:, : f.dim].T @ M) ** 2) / np.trace(label.S)
    gap = 1.0 if f.dim == len(values) else float(values[f.dim - 1] - values[f.dim])
    error = f.scores_error / max(gap, 1e-300) * 4
    info, variance = np.finfo(rows.dtype), np.diagonal(f.S)
    tight = variance.max() > info.max**0.5 or variance.min() < info.tiny**0.5
    numbers = {"r2": (r2, error)} if error < 0.01 and not tight else {}
    border = range_of(rows, label) != "held"
    return Want(numbers, clear=f.clearly(values) and not tight, border=border)


def _thresholds(case: Thrown) -> Found:
    t = linssl.alignment_thresholds(case.dress(_spectrum(case)), [1.0, 2.0], 0.5, 0.25)
    return {"je": t.joint_embedding_squared, "rc": t.reconstruction_squared}, 0


def _spectrum(case: Thrown) -> np.ndarray:
    d, rng = case.shape[1], case.rng
    unit = 10.0 ** rng.integers(-case.power // 2, case.power // 2 + 1, d)
    values = rng.uniform(0.5, 2, d) * (unit if case.numbers == "scales" else 1)
    return values * (0 if case.numbers == "constant" else 1)


def _thresholds_wanted(case: Thrown) -> Want:
    dressed = case.dress(_spectrum(case))
    lam = read(dressed)
    if not sound(lam) or (lam <= 0).any():
        return REFUSED
    gamma, on, off = np.array([1, 2], LONG), LONG(0.5), LONG(0.25)
    je = (on / lam).max() - (off / gamma).min()
    rc = (gamma[:, None] * (lam + on) / lam**2 - 1 - (off / gamma)[:, None]).max()
    eps = STEPS * float(np.finfo(any_arrays.kept(dressed)).eps)
    return Want({"je": (je, eps * ((on / lam).max() + 1)), "rc": (rc, eps * (abs(rc) + 2))})


def _projected(case: Thrown) -> Found:
    return {"P": projector(case.dress(_square(case)), 1)}, 0


def _square(case: Thrown) -> np.ndarray:
    d = case.shape[1]
    B = case.rng.standard_normal((d, d))
    return B + B.T


def _projected_wanted(case: Thrown) -> Want:
    dressed = case.dress(_square(case))
    M = read(dressed)
    if M is None or M.size == 0:
        return REFUSED
    if not np.isfinite(M).all():
        return REFUSED
    values, V = ld.eigh((M + M.T) / 2)
    eps = float(np.finfo(any_arrays.kept(dressed)).eps)
    gap = float((values[0] - values[1]) / np.abs(values).max()) if len(values) > 1 else 1.0
    if not gap > 1e-3:
        return Want({}, clear=False)
    return Want({"P": (np.outer(V[:, 0], V[:, 0]), STEPS * eps * len(M) / gap)})


def _designed(case: Thrown) -> Found:
    d = max(case.shape[1], 1)
    theta = noise_of(case)
    family = linssl.designs.NoiseFamily(0.01 * theta / case.share, 100 * theta / case.share)
    made = linssl.design(case.x, family, subspace=np.eye(d)[:1], gap=0.05, evaluations=60)
    rows = rows_of(case.x, np.float64)
    assert rows is not None
    N = np.diag(np.asarray(made.augmentation.covariance, LONG))
    S, C = rows.S + N, rows.S
    mine = C[0, 0] / S[0, 0]
    # The rest is S-orthogonal to the first feature.
    V = np.eye(d, dtype=LONG)[1:] - np.outer(S[1:, 0] / S[0, 0], np.eye(d, dtype=LONG)[0])
    rest = ld.scores(V @ C @ V.T, V @ S @ V.T)[0] if d > 1 else 0
    strength = np.trace(N) - made.strength
    found = {"off": strength / np.trace(N), "gap": made.gap - (mine - rest)}
    return found | {"feasible": made.feasible and made.gap < 0.05 * (1 - 1e-3)}, 0


def _designed_wanted(case: Thrown) -> Want:
    rows = rows_of(case.x, np.float64)
    if rows is None or not rows.S[0, 0] > 0:
        return REFUSED
    # Beside far larger ones it is taken for a constant, whatever its units.
    lost = rows.blur[0] > 1e-8 * rows.S[0, 0] or rows.S[0, 0] < 1e-9 * np.trace(rows.S)
    off = 1e-4 if any_arrays.kept(np.ones(1)) == np.float32 else 1e-6
    numbers = {"off": (0, off), "gap": (0, off), "feasible": (False, 0)}
    return Want(numbers, border=bool(lost) or case.numbers == "units" or len(rows.X) < 2)


def _diagnosed(case: Thrown) -> Found:
    noise = linssl.GaussianNoise(noise_of(case))
    told = linssl.diagnose(case.x, augmentation=noise, dim=1)
    return {
        "je": told.joint_embedding.spectrum,
        "rc": told.reconstruction.spectrum,
        "floor": told.noise_floor,
    }, 0


def _diagnosed_wanted(case: Thrown) -> Want:
    rows = rows_of(case.x, np.float64)
    if rows is None or len(rows.X) < 32:
        return REFUSED
    f = Facts(case, rows, noise_of(case))
    if not f.clear:  # a diagnosis has no status: it refuses
        return Want({}, clear=False, border=True)
    M = ld.solve(f.F, f.C)
    phi2 = ld.eigh(M @ M.T)[0]
    # Groups of rows are merged by their means, each of which is rounded.
    error = f.scores_error + STEPS * 2.0**-52 * float(
        np.max(np.abs(rows.mean) / np.sqrt(np.diagonal(f.S)))
    )
    return Want(
        {"je": (f.omega, error), "rc": (phi2, error * f.trace), "floor": (0, 0)},
        border=not np.trace(rows.S) > 0,
    )


def _recommended(case: Thrown) -> Found:
    told = linssl.recommend(case.x, kind="table")
    return {"share": told.shaken[0].share, "dropped": len(told.shaken[0].joint_embedding) > 0}, 0


def _recommended_wanted(case: Thrown) -> Want:
    """Without labels: how much isotropic noise, of 0.3 of the mean variance, shakes."""
    rows = rows_of(case.x, np.float64)
    if rows is None or len(rows.X) < 32:
        return REFUSED
    f = Facts(case, rows, noise_of(case))
    off = 1e-6 + f.scores_error
    # What squares can't hold, or means leave no digits of, is refused.
    return Want({"share": (0.3 / 1.3, off), "dropped": (True, 0)}, clear=False, border=True)


def _cell(x: Any, key: Any, *, a: Any) -> dict[str, Any]:
    return {"sum": a + jnp.sum(x).astype(a.dtype)}


def _swept(case: Thrown) -> Found:
    values = case.dress(_axis(case))
    sweep = linssl.Sweep(eqx.Partial(_cell, jnp.ones(2)), {"a": values})
    if case.seed % 4:
        return {"sum": linssl.run_sweep(sweep)["sum"].values[:, 0]}, 0
    with tempfile.TemporaryDirectory() as folder:
        linssl.run_sweep(sweep, Path(folder, "store"))
        return {"sum": linssl.open_sweep(Path(folder, "store"))["sum"].values[:, 0]}, 0


def _axis(case: Thrown) -> np.ndarray:
    return np.arange(4) * 2.0 + (case.shape[1] % 2)


def _swept_wanted(case: Thrown) -> Want:
    dressed = case.dress(_axis(case))
    a = read(dressed)
    if not sound(a) or len(np.unique(a)) < len(a):
        return REFUSED
    return Want(
        {"sum": (a + 2, 1e-5 * np.abs(a + 2))}, border=np.asarray(dressed).dtype.kind in "bOV"
    )


def some(shape: tuple[int, int]) -> bool:
    return shape[1] > 0


DOORS: dict[str, Door] = {
    "with_label, classes": Door(
        lambda c: pair_found(linssl.with_label(c.x, labels(c)[0])),
        _class_label,
    ),
    "same_class": Door(
        lambda c: views_found(linssl.same_class(c.x, labels(c)[0], P, Q)), _same_class
    ),
    "SemanticPairs.from_labels": Door(
        lambda c: views_found(pairs.SemanticPairs.from_labels(c.x, labels(c)[0]).pair(P, Q)),
        _same_class,
    ),
    "one_hot": Door(lambda c: ({"rows": pairs.one_hot(labels(c)[0])}, 0), _one_hot),
    "class_tuples": Door(_tuples, _tuples_wanted),
    "subspace_distance": Door(
        lambda c: _distance(c, False), lambda c: _distance_wanted(c, False), some
    ),
    "subspace_distance, to features": Door(
        lambda c: _distance(c, True), lambda c: _distance_wanted(c, True), some
    ),
    "relative_error": Door(
        lambda c: (
            {
                "error": metrics.relative_error(
                    c.x,
                    np.random.default_rng(c.seed + 4).standard_normal(c.shape),
                )
            },
            0,
        ),
        _relative,
    ),
    "probe_risk, probe_r2, linear_probe": Door(
        lambda c: _probe(c, False), lambda c: _probe_wanted(c, False), some
    ),
    "probe_r2, of encoders": Door(
        lambda c: _probe(c, True), lambda c: _probe_wanted(c, True), some
    ),
    "probe_accuracy": Door(_accuracy, _accuracy_wanted, some),
    "estimators.JointEmbedding": estimator(
        lambda c: _model(estimators.JointEmbedding, c), _je_codes
    ),
    "estimators.Reconstruction": estimator(
        lambda c: _model(estimators.Reconstruction, c), _rc_codes
    ),
    "estimators.SemanticJointEmbedding": estimator(
        lambda c: _model(estimators.SemanticJointEmbedding, c, fraction=P),
        _semantic_codes,
        labelled=True,
    ),
    "estimators.SimVAE": estimator(_group_model, _simvae_codes),
    "load_dataset": Door(_loaded, _loaded_wanted),
    "save_moments, load_moments": Door(
        _saved,
        of_rows(lambda rows: _kept_moments(rows)),
    ),
    "alignment_thresholds": Door(_thresholds, _thresholds_wanted, some),
    "projector": Door(_projected, _projected_wanted, some),
    "compare": Door(_compared, _compared_wanted, slow=True),
    "design": Door(_designed, _designed_wanted, lambda shape: shape[1] in (0, 3), slow=True),
    "diagnose": Door(_diagnosed, _diagnosed_wanted, slow=True),
    "recommend": Door(_recommended, _recommended_wanted, slow=True),
    "Sweep, run_sweep, open_sweep": Door(_swept, _swept_wanted, slow=True),
}


def _kept_moments(rows: Any) -> dict[str, tuple[Any, Any]]:
    from doors_moments import views_wanted

    return views_wanted(rows)
