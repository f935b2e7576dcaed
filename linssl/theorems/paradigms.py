"""Joint embedding, reconstruction and supervised learning: closed forms and invariances."""

import numpy as np
import scipy.linalg as sl

import linssl
from linssl.theorems.entry import Room
from linssl.theorems.problems import (
    covariance,
    critic,
    decoder,
    pair_of,
    random_pair,
    random_views,
    relative,
    root,
    views_of,
)

ROOM = Room("Paradigms")


@ROOM.theorem(
    "joint-embedding",
    r"$\min_{W S W^T = I} E\|W\tau_1 - W\tau_2\|^2 = 2\sum_{i \le k}(1 - \omega_i)$, at "
    r"$W = U Q_k^T S^{-1/2}$",
    r"$S^{-1/2} G S^{-1/2} = Q\Omega Q^T$; $S$ covariance of a view, $G$ of two views",
    "JEvRC, Theorem 2",
    "joint_embedding",
)
def _joint_embedding(rng):
    views = random_views(rng)
    omega, V = sl.eigh(views.shared, views.covariance)
    s = linssl.joint_embedding(views, 2)
    return max(
        relative(s.loss, 2 * np.sum(1 - omega[-2:])),
        relative(s.encoder.T @ s.encoder, V[:, -2:] @ V[:, -2:].T),
    )


@ROOM.theorem(
    "reconstruction",
    r"$\min_{E, D} E\|x - D E\tau\|^2 = \mathrm{tr}\,C - \sum_{i \le k}\varphi_i^2$, at "
    r"$E = T P_k^T S^{-1/2}$, $D = R_k\Phi_k T^{-1}$",
    r"$\mathrm{Cov}(x, \tau) S^{-1/2} = R\Phi P^T$, $C = \mathrm{Cov}(x)$; $T$ any invertible "
    r"matrix",
    "JEvRC, Theorem 1",
    "reconstruction",
)
def _reconstruction(rng):
    pair = random_pair(rng)
    white = root(pair.first, -0.5)
    R, phi, P = np.linalg.svd(pair.cross.T @ white)
    s = linssl.reconstruction(pair, 2)
    return max(
        relative(s.loss, np.trace(pair.second) - np.sum(phi[:2] ** 2)),
        relative(s.predictor, R[:, :2] * phi[:2] @ P[:2] @ white),
    )


@ROOM.theorem(
    "reconstruction-recoding",
    r"$E\|x - D T^{-1} T E\tau\|^2$ is the same for every invertible $T$",
    r"$E$, $D$ encoder and decoder of reconstruction",
    "JEvRC, Theorem 1",
    "reconstruction",
)
def _recoding(rng):
    pair, T = random_pair(rng), covariance(rng, 2)
    s = linssl.reconstruction(pair, 2)
    E, D = T @ s.encoder, decoder(s) @ np.linalg.inv(T)
    A = D @ E
    return relative(np.trace(pair.second - 2 * A @ pair.cross + A @ pair.first @ A.T), s.loss)


@ROOM.theorem(
    "supervised",
    r"$\min_{V, c} E\|y - V\tau - c\|^2$ at $V = \mathrm{Cov}(y, \tau) S^{-1}$, "
    r"$c = E[y] - VE[\tau]$",
    r"$y$ label, $S = \mathrm{Cov}(\tau)$",
    "JEvRC, section 3",
    "supervised",
)
def _supervised(rng):
    x, y = rng.standard_normal((30, 4)) + 1, rng.standard_normal((30, 3)) - 2
    s = linssl.supervised(linssl.PairMoments.from_samples(x, y))
    with_ones = np.column_stack([x, np.ones(30)])
    fitted = np.linalg.lstsq(with_ones, y)[0]
    return max(relative(s.predictor.T, fitted[:4]), relative(s.predict(x), with_ones @ fitted))


@ROOM.theorem(
    "supervised-is-full-rank",
    r"$V^* = D^* E^*$ at $k = \min(d, e)$: supervised learning is reconstruction of the label",
    r"$D^*$, $E^*$ of reconstruction, with label of size $e$ as its target",
    "JEvRC, section 3",
    "supervised",
)
def _full_rank(rng):
    pair = random_pair(rng)
    V = linssl.supervised(pair)
    return relative(linssl.reconstruction(pair, 3).predictor, V.predictor)


@ROOM.theorem(
    "joint-embedding-equivariance",
    r"$x \to Ax$ turns $W$ into $W A^{-1}$ for every invertible $A$, $\omega$ unchanged",
    r"$A$ acts on views; $W$ encoder, $\omega$ scores of joint embedding",
    "JEvRC, Theorem 2",
    "joint_embedding",
)
def _je_equivariance(rng):
    views, A = random_views(rng), rng.standard_normal((4, 4)) + 3 * np.eye(4)
    mapped = views_of(*(A @ M @ A.T for M in (views.shared, views.spread)))
    s, t = linssl.joint_embedding(views, 2), linssl.joint_embedding(mapped, 2)
    W, V = s.encoder, t.encoder @ A
    return max(relative(V.T @ V, W.T @ W), relative(t.spectrum, s.spectrum))


@ROOM.theorem(
    "reconstruction-equivariance",
    r"$\tau \to A\tau$ alone turns $E$ into $E A^{-1}$; $x \to cOx$ does so only with $O$ "
    r"orthogonal, and multiplies the loss by $c^2$",
    r"$A$ invertible, $O$ rotation, $c$ scale",
    "JEvRC, Theorem 1",
    "reconstruction",
)
def _rc_equivariance(rng):
    pair, A = random_pair(rng), rng.standard_normal((4, 4)) + 3 * np.eye(4)
    R, c = np.linalg.qr(rng.standard_normal((3, 3)))[0], rng.uniform(0.5, 2)
    S, C = A @ pair.first @ A.T, c**2 * R @ pair.second @ R.T
    G = c * A @ pair.cross @ R.T
    mapped = pair_of((S + S.T) / 2, (C + C.T) / 2, G)
    s, t = linssl.reconstruction(pair, 2), linssl.reconstruction(mapped, 2)
    return max(relative(t.loss, c**2 * s.loss), relative(t.predictor @ A, c * R @ s.predictor))


@ROOM.theorem(
    "additive-noise",
    r"$\omega = g/(1 + g)$, $g = \mathrm{eig}(\Theta^{-1/2} C\,\Theta^{-1/2})$",
    r"$S = C + \Theta$: noise of covariance $\Theta \succ 0$ added to data of covariance $C$",
    "derived",
    "joint_embedding",
)
def _additive_noise(rng):
    C, Theta = covariance(rng), covariance(rng)
    noise = linssl.GaussianNoise(Theta)
    views = linssl.two_views(linssl.pairs.same_instance_population(C), noise)
    g = sl.eigh(C, Theta, eigvals_only=True)[::-1]
    return relative(linssl.joint_embedding(views, 2).spectrum, g / (1 + g))


@ROOM.theorem(
    "principal-components",
    r"$E^T E$ projects on the top $k$ eigenvectors of $C$ scaled to $C^{-1}$, and the loss is "
    r"$\sum_{i > k}\lambda_i(C)$",
    r"reconstruction without augmentation, $\tau(x) = x$; $C = \mathrm{Cov}(x)$",
    "derived",
    "reconstruction",
)
def _pca(rng):
    C = covariance(rng)
    values, V = np.linalg.eigh(C)
    s = linssl.reconstruction(linssl.pairs.same_instance_population(C).as_pair(), 2)
    return max(relative(s.loss, np.sum(values[:2])), relative(s.predictor, V[:, 2:] @ V[:, 2:].T))


@ROOM.theorem(
    "canonical-correlation",
    r"$\min E\|W_1 u - W_2 v\|^2 = 2\sum_{i \le k}(1 - \rho_i)$ under "
    r"$W_1 S W_1^T = W_2 C W_2^T = I$",
    r"$\rho$ singular values of $S^{-1/2} G C^{-1/2}$; $S$, $C$, $G$ covariances of $u$, $v$ and "
    r"both",
    "Hotelling1936",
    "canonical_correlation",
)
def _canonical_correlation(rng):
    pair = random_pair(rng)
    left, right = (root(M, -0.5) for M in (pair.first, pair.second))
    U, rho, V = np.linalg.svd(left @ pair.cross @ right)
    s = linssl.canonical_correlation(pair, 2)
    return max(
        relative(s.loss, 2 * np.sum(1 - rho[:2])),
        relative(critic(s), left @ U[:, :2] @ V[:2] @ right),
    )


@ROOM.theorem(
    "joint-embedding-is-cca",
    r"$\rho = \omega$ and $W_1 = W_2 = W$ on two views with $\omega \ge 0$",
    r"$\rho$, $W_1$, $W_2$ of canonical correlation; $\omega$, $W$ of joint embedding",
    "JEvRC, Theorem 2; Hotelling1936",
    "canonical_correlation",
)
def _je_is_cca(rng):
    views = random_views(rng)
    s, t = linssl.canonical_correlation(views.as_pair(), 2), linssl.joint_embedding(views, 2)
    W = t.encoder
    return max(relative(s.spectrum, t.spectrum), relative(critic(s), W.T @ W))


@ROOM.theorem(
    "probe-risk",
    r"$R(W) = \mathrm{tr}\,(C - G^T W^T (W S W^T)^{-1} W G)$, for $TW$ as for $W$",
    r"$S$, $C$, $G$ covariances of input and label, $T$ invertible: only the row space counts",
    "derived",
    "metrics.probe_risk",
)
def _probe_risk(rng):
    x, y = rng.standard_normal((30, 4)) + 1, rng.standard_normal((30, 2)) - 2
    W = rng.standard_normal((2, 4))
    codes = np.column_stack([x @ W.T, np.ones(30)])
    rest = y - codes @ np.linalg.lstsq(codes, y)[0]
    risk = linssl.metrics.probe_risk(covariance(rng, 2) @ W, linssl.PairMoments.from_samples(x, y))
    return relative(risk, np.sum(rest**2) / 30)


@ROOM.theorem(
    "subspace-distance",
    r"$\|(I - P_W) Q^*\|_F^2/k = \frac1k\sum_i \sin^2\theta_i$",
    r"$\theta$ principal angles between the row spaces of two $k \times d$ encoders",
    "derived; JEvRC, section 4",
    "subspace_distance",
)
def _subspace_distance(rng):
    W, V = rng.standard_normal((2, 2, 4))
    return relative(
        linssl.subspace_distance(W, V), np.mean(np.sin(sl.subspace_angles(W.T, V.T)) ** 2)
    )
