"""How good a representation is: subspace distance, and what a linear probe gets out of it."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linssl.arguments import Numbers, as_float, on_host, require_samples
from linssl.labels import as_classes, require_names
from linssl.linalg.structure import dense, exact_products, trace
from linssl.moments import PairMoments


@exact_products
def subspace_distance(encoder: Numbers, reference: Numbers | Sequence[int]) -> Float[Array, ""]:
    r"""Measure how much of a reference row space an encoder loses.

    $$ \frac1k \| (I - P_{\tilde W})\, Q^* \|_F^2 \in [0, 1] $$

    The squared chordal distance between row spaces over k, where $P_{\tilde W}$ projects on the
    rows of the encoder and the columns of $Q^*$ are an orthonormal basis of those of the
    reference: the mean squared sine of the principal angles. In this form, unlike
    $1 - \|P P^*\|^2/k$, small distances don't cancel. NaN in, NaN out; NaN too where an encoder
    isn't of full row rank to working precision, since its rows then fix no k-dimensional space.

    Args:
        encoder: $\tilde W$, (k, d), of full row rank.
        reference: $W^*$, (k, d), of full row rank; or k distinct whole numbers, the features whose
            axes span the reference (`range(k)`), which saves its factorisation.

    Raises:
        ValueError: shapes that differ, k > d, or features that aren't k different ones of d.

    Source: JEvRC, section 4 (distance to optimality), normalised by k.
    """
    W = as_float(encoder)
    if not isinstance(reference, jax.Array) and np.ndim(reference) == 1 and W.ndim == 2:
        return _distance_to_features(W, _features(reference, W.shape))
    W_star = as_float(reference)
    if W.ndim != 2 or W.shape != W_star.shape or not 1 <= W.shape[0] <= W.shape[1]:
        raise ValueError(
            "encoder and reference must both be (k, d) with 1 <= k <= d; "
            f"got {W.shape} and {W_star.shape}."
        )
    return _distance(W, W_star)


@jax.jit
def _distance(W: Array, W_star: Array) -> Array:
    Q, full = _row_basis(_unit_rows(W))
    Q_star, full_star = _row_basis(_unit_rows(W_star))
    rest = Q_star - Q @ (Q.T @ Q_star)
    return jnp.where(full & full_star, jnp.sum(jnp.square(rest)) / W.shape[0], jnp.nan)


@jax.jit
def _distance_to_features(W: Array, axes: Array) -> Array:
    Q, full = _row_basis(_unit_rows(W))
    rest = (-Q @ Q[axes].T).at[axes, jnp.arange(axes.size)].add(1)
    return jnp.where(full, jnp.sum(jnp.square(rest)) / W.shape[0], jnp.nan)


def _features(reference: Numbers | Sequence[int], shape: tuple[int, ...]) -> np.ndarray:
    """Check features given by number against an encoder (k, d)."""
    axes = on_host(reference, "reference")
    if not 1 <= shape[0] <= shape[1] or axes.shape != shape[:1]:
        raise ValueError(
            "reference must be k features for an encoder (k, d) with 1 <= k <= d; "
            f"got {axes.size} for {shape}."
        )
    if axes.dtype.kind not in "iu" or axes.min() < 0 or axes.max() >= shape[1]:
        raise ValueError(f"reference must be whole numbers from 0 to {shape[1] - 1}; got {axes}.")
    if np.unique(axes).size < axes.size:
        raise ValueError(f"reference must be distinct features; got {axes}.")
    return axes


def _unit_rows(W: Array) -> Array:
    """Scale each row to a largest entry of 1, so that no square over- or underflows."""
    largest = jnp.max(jnp.abs(W), axis=1, keepdims=True)
    return W / jnp.where(largest == 0, 1, largest)


def _row_basis(W: Array) -> tuple[Array, Array]:
    """Return an orthonormal basis (d, k) of the rows, and whether none of them depends on others.

    A diagonal entry of R over the length of its row is the sine of the angle between the row and
    the span of those above it.
    """
    Q, R = jnp.linalg.qr(W.T)
    rounding = W.shape[1] * jnp.finfo(W.dtype).eps * jnp.linalg.norm(W, axis=1)
    return Q, jnp.all(jnp.abs(jnp.diagonal(R)) > rounding)


def relative_error(estimate: Numbers, reference: Numbers) -> Float[Array, ""]:
    r"""Measure the relative Frobenius error $\|\tilde V - V^*\|_F / \|V^*\|_F$.

    Args:
        estimate: $\tilde V$, any shape.
        reference: $V^*$, the same shape; a zero reference gives inf, or NaN for a zero estimate.

    Raises:
        ValueError: shapes that differ.

    Source: JEvRC, section 4 (supervised distance to optimality).
    """
    V, V_star = as_float(estimate), as_float(reference)
    if V.shape != V_star.shape:
        raise ValueError(f"estimate and reference must agree; got {V.shape} and {V_star.shape}.")
    unit = jnp.max(jnp.abs(V_star), initial=0)
    V, V_star = V / jnp.where(unit == 0, 1, unit), V_star / jnp.where(unit == 0, 1, unit)
    return jnp.sqrt(jnp.sum(jnp.square(V - V_star)) / jnp.sum(jnp.square(V_star)))


@exact_products
def probe_risk(encoder: Numbers, pair: PairMoments) -> Float[Array, ""]:
    r"""Compute the least mean squared error of a linear probe on the codes.

    $$ R(W) = \mathrm{tr}\, C_{yy} - \mathrm{tr}\, C_{yz} C_{zz}^{+} C_{zy}, \quad z = Wx $$

    It depends on the row space of W only. Codes that are redundant or constant to working
    precision are ignored (pseudo-inverse). With an intercept; `with_label(x, y).about_zero()` is a
    probe without.

    Args:
        encoder: $W$, (k, d).
        pair: moments of (x, y) on clean data, first (d, d), second (e, e), cross (d, e).

    Returns:
        $R(W)$ in units of the label's variance, summed over its e components.

    Raises:
        ValueError: sizes that don't fit.

    Moments are trusted to be those of one pair. The gradient is NaN where eigenvalues of the code
    correlations repeat, uncorrelated codes among them.

    Source: derived (normal equations; JEvRC, section 4 uses it as the downstream measure).
    """
    return trace(pair.second) - _explained(*_codes(encoder, pair))


@exact_products
def probe_r2(encoder: Numbers, pair: PairMoments) -> Float[Array, ""]:
    r"""Compute the share of a target's variance that a linear probe reads from the codes.

    $$ R^2 = \frac{\mathrm{tr}\, C_{yz} C_{zz}^{+} C_{zy}}{\mathrm{tr}\, C_{yy}}, \quad z = Wx $$

    Args:
        encoder: $W$, (k, d).
        pair: moments of (x, y).

    Returns:
        $R^2 \in [0, 1]$ up to rounding; NaN for a target without variance.

    Raises:
        ValueError: sizes that don't fit.

    Source: derived (normal equations).
    """
    return _explained(*_codes(encoder, pair)) / trace(pair.second)


@exact_products
def linear_probe(encoder: Numbers, pair: PairMoments) -> Float[Array, "k e"]:
    r"""Compute the best linear probe on the codes.

    $$ B = C_{zz}^{+} C_{zy}, \quad z = Wx, \quad \hat y = B^T z $$

    The least squares fit whose error is `probe_risk`, with the same care for redundant codes.

    Args:
        encoder: $W$, (k, d).
        pair: moments of (x, y); codes and predictions are about their means.

    Returns:
        $B$, (k, e).

    Raises:
        ValueError: sizes that don't fit.

    Source: derived (normal equations).
    """
    vectors, inverse, components = _regress(*_codes(encoder, pair))
    return vectors @ (inverse[:, None] * components)


def _codes(encoder: Numbers, pair: PairMoments) -> tuple[Array, Array, Array]:
    W, S, K = as_float(encoder), dense(pair.first), dense(pair.cross)
    if W.ndim != 2 or not len(W) or W.shape[1] != S.shape[0]:
        raise ValueError(f"encoder must be (k, {S.shape[0]}), k >= 1; got {W.shape}.")
    return W, S, K


@jax.jit
def _explained(W: Array, S: Array, K: Array) -> Array:
    """Return the variance of the target that the codes explain."""
    _, inverse, components = _regress(W, S, K)
    return jnp.sum(inverse @ jnp.square(components))


@jax.jit
def _regress(W: Array, S: Array, K: Array) -> tuple[Array, Array, Array]:
    """Return components of the codes, their inverse variances (0 if redundant), and V^T C_zy."""
    largest = jnp.max(jnp.abs(W), axis=1, keepdims=True)
    largest = jnp.where(largest == 0, 1, largest)
    W = W / largest  # so that no square over- or underflows
    C_zz, C_zy = W @ S @ W.T, W @ K
    # Unit variances first, so that "redundant" doesn't depend on how codes are scaled.
    variance = jnp.diagonal(C_zz)
    # A bound on the rounding of each variance, |w|' |S| |w| <= (|w|' s)^2 with s the deviations of
    # the features: a small feature that a code reads alone is not lost beside a large one.
    deviations = jnp.sqrt(jnp.maximum(jnp.diagonal(S), 0))
    floor = W.shape[1] * jnp.finfo(C_zz.dtype).eps * jnp.square(jnp.abs(W) @ deviations)
    unit = jnp.where(variance > floor, 1 / jnp.sqrt(jnp.where(variance > 0, variance, 1)), 0)
    values, vectors = jnp.linalg.eigh(C_zz * unit[:, None] * unit[None, :])
    known = values > W.shape[0] * jnp.finfo(values.dtype).eps
    components = (vectors.T * unit[None, :]) @ C_zy
    inverse = jnp.where(known, 1 / jnp.where(known, values, 1), 0)
    inverse = jnp.where(jnp.isnan(values[0]), jnp.nan, inverse)
    return vectors * (unit / largest[:, 0])[:, None], inverse, components


def probe_accuracy(
    encoder: Numbers,
    train: Numbers,
    train_labels: Numbers,
    test: Numbers,
    test_labels: Numbers,
    ridge: float = 1.0,
) -> float:
    r"""Train one linear classifier on the codes and report its accuracy on held-out data.

    The classifier is scikit-learn's `RidgeClassifier` (least squares on ±1 targets, one against
    the rest, with intercept) on codes whitened by the training set, so that the result depends
    on the row space of the encoder only: $\min_B \|Y - ZB\|^2 + \rho\|B\|^2$.

    Args:
        encoder: $W$, (k, d), concrete.
        train: (n, d) clean inputs.
        train_labels: (n,) class names, at least two classes.
        test: (m, d).
        test_labels: (m,).
        ridge: $\rho \ge 0$, in units of one code variance times one sample.

    Returns:
        Accuracy in [0, 1].

    Raises:
        ValueError: sizes that don't fit, NaN or inf in encoder or data, labels that are missing,
            of two types, of one class only or rather numbers to be predicted, or codes that are
            constant on the training set; a ridge that is negative or not finite.

    Source: derived; the linear-probe protocol of JEvRC, section 5.
    """
    from sklearn.linear_model import RidgeClassifier

    W = on_host(encoder, "encoder").astype(float)
    X, X_test = (np.asarray(require_samples(n, a)) for n, a in (("train", train), ("test", test)))
    if W.ndim != 2 or not W.shape[1] == X.shape[1] == X_test.shape[1]:
        raise ValueError(
            f"encoder must be (k, d) for data of d features; got {W.shape}, {X.shape} and "
            f"{X_test.shape}."
        )
    if not 0 <= ridge < np.inf:
        raise ValueError(f"ridge must be finite and >= 0; got {ridge}.")
    if not np.isfinite(W).all():
        raise ValueError("encoder must be finite; read explain(solution) for why it isn't.")
    classes, y, truth = _probe_labels(train_labels, test_labels, len(X), len(X_test))
    Z, Z_test = X @ W.T, X_test @ W.T
    # Unit variances first, so that "redundant" doesn't depend on how codes are scaled.
    mean, deviation, n = Z.mean(0), Z.std(0), len(Z)
    varies = deviation > n * np.finfo(float).eps * np.abs(Z).max(0)
    if not varies.any():
        raise ValueError("encoder must give codes that vary; got constant codes on train.")
    unit = np.where(varies, 1 / np.where(varies, deviation, 1), 0)
    _, values, rows = np.linalg.svd((Z - mean) * unit, full_matrices=False)
    known = values > values[0] * max(Z.shape) * np.finfo(float).eps
    whiten = unit[:, None] * rows[known].T * (np.sqrt(n) / values[known])
    model = RidgeClassifier(alpha=ridge).fit((Z - mean) @ whiten, y)
    return float(np.mean(classes[np.asarray(model.predict((Z_test - mean) @ whiten))] == truth))


def _probe_labels(
    train: object, test: object, n: int, m: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the names of the classes, the class of each training row, and the test labels."""
    classes, y = as_classes("train_labels", train, n)
    tested, index = as_classes("test_labels", test, m)
    if len(classes) < 2:
        raise ValueError("train_labels must hold at least two classes; got one.")
    require_names("train_labels", classes, n)
    kinds = ["numbers" if a.dtype.kind in "fiub" else a.dtype.kind for a in (classes, tested)]
    if kinds[0] != kinds[1]:
        raise ValueError(
            f"train_labels and test_labels must be of one type; got {classes.dtype} and "
            f"{tested.dtype}."
        )
    return classes, y, tested[index]
