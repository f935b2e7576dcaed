"""Numbers of the library on fixed inputs, one function per area, to compare after a change.

What is recorded doesn't depend on how moments are stored: covariances about the mean, spectra,
losses, predictions, thresholds, names of statuses; of an encoder, which is unique up to a turn,
what no turn changes. Where calls change, "How the library is called" should be all that follows.

`python -m tests.support.frozen` writes the record anew, where a change of numbers is meant.
"""

import functools
import json
import math
from pathlib import Path
from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import linssl

RECORD = Path(__file__).with_name("frozen.json")
J = 3  # views of a group


# How the library is called.


def covariances(moments):
    """Return Cov(u), Cov(v), Cov(u, v) of a pair, (d, d) each."""
    pair = moments.as_pair() if isinstance(moments, linssl.Views) else moments
    return [as_matrix(m) for m in (pair.first, pair.second, pair.cross)]


def means(moments):
    pair = moments.as_pair() if isinstance(moments, linssl.Views) else moments
    return pair.mean_first, pair.mean_second


def at_once(make):
    """Run as one compiled program, which is quicker than its operations one by one."""
    return eqx.filter_jit(make)()


def two_views_each(data, families):
    """Augment both views by each family, in one program: the views, and their means."""
    rows = linssl.same_instance(data)
    made = at_once(lambda: {name: linssl.augment(rows, a) for name, a in families.items()})
    return {name: (views, views.mean) for name, views in made.items()}


def two_sides(first, second, a, b):
    """Augment two sides, by an augmentation each."""
    return linssl.augment_sides(linssl.pairs.two_modalities(first, second), a, b)


def class_population(between, within, p, q):
    return linssl.pairs.SemanticPairs.population(between, within).pair(p, q)


def predictions(solution, x):
    """Return what is predicted about the target's mean."""
    return solution.predict(x) - solution.second_mean[None]


def estimated(view, data):
    estimate = linssl.pairs.estimate_pair(view, data, 3)
    return estimate.views, estimate.clean, estimate.standard_error


def drawn_data(key, root, mean, count, features, noise, appended=0):
    data = linssl.NoisyData(*map(jnp.asarray, (root, mean, count)), features, appended)
    return data.sample_moments(key, noise)


# What is written down.


def as_matrix(moment):
    moment = np.asarray(moment)
    return np.diag(moment) if moment.ndim == 1 else moment


def named(prefix, **values):
    """Name every number: entries of vectors; of matrices, their norm and a mix of all entries."""
    found = {}
    for name, value in values.items():
        if isinstance(value, str | bool) or value is None:
            found[f"{prefix}/{name}"] = value
            continue
        array = np.asarray(value)
        if array.ndim == 0:
            found[f"{prefix}/{name}"] = number(array.item())
        elif array.ndim == 1:
            found |= {f"{prefix}/{name}/{i}": number(v) for i, v in enumerate(array.tolist())}
        else:
            weights = np.random.default_rng(array.shape).standard_normal(array.shape)
            found[f"{prefix}/{name}/norm"] = number(np.linalg.norm(array))
            found[f"{prefix}/{name}/mix"] = number(np.sum(weights * array))
    return found


def number(value):
    """Round to 12 digits; JSON knows no infinity, and NaN is nothing to compare."""
    if isinstance(value, bool):
        return value
    if math.isnan(value):
        raise ValueError("a frozen number is NaN.")
    return float(f"{value:.12g}") if math.isfinite(value) else str(value)


def status(solution):
    return linssl.Status(int(solution.status)).name


def gram(matrix):
    """Return W^T W, which no turn of the code changes."""
    return np.asarray(matrix).T @ np.asarray(matrix)


def solved(prefix, s, **more):
    return named(prefix, loss=s.loss, gap=s.gap, spectrum=s.spectrum, status=status(s), **more)


# The inputs.


@functools.cache
def given():
    """Rows X (90, 5) of four classes and Y (90, 3) that goes with them, means about 3 spreads."""
    rng = np.random.default_rng(14)
    labels = np.repeat([0, 1, 2, 3], [15, 20, 25, 30])
    X = rng.standard_normal((90, 5)) @ rng.standard_normal((5, 5))
    X = X + 2 * rng.standard_normal((4, 5))[labels] + [3.0, -4.0, 5.0, 1.0, -2.0]
    Y = X[:, :3] @ rng.standard_normal((3, 3)) + rng.standard_normal((90, 3)) + 2.0
    images = rng.uniform(0, 1, (60, 9)) @ rng.uniform(0, 1, (9, 9)) + 1.0
    content = rng.standard_normal((40, 1, 5)) @ np.diag([2.5, 1.8, 1.0, 0.5, 0.3])
    return SimpleNamespace(
        X=X, Y=Y, labels=labels, images=images, mean=X.mean(0),
        noise=spread(rng, 0.8), nuisance=spread(rng, 0.5), base=spread(rng, 0.3),
        groups=content + rng.standard_normal((40, J, 5)) * [0.4, 0.9, 0.5, 0.7, 0.6] + 3.0,
        between=spread(rng, 2.0), within=spread(rng, 1.0), encoder=rng.standard_normal((2, 5)),
    )  # fmt: skip


def spread(rng, size):
    Q = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    M = (Q * (size * np.geomspace(0.4, 2.0, 5))) @ Q.T
    return (M + M.T) / 2


# Objectives.


def of_views():
    g = given()
    a = linssl.GaussianNoise(g.noise)
    views, clean = linssl.two_views(g.X, a), linssl.view_and_clean(g.X, a)
    W = linssl.joint_embedding(views, 2)
    Z = W(g.X[:6])
    found = solved("joint_embedding", W, encoder=gram(W.encoder), codes=Z @ Z.T)
    for name, s in {
        "soft_constraint": linssl.objectives.soft_constraint(views, 3, 0.9),
        "spectral_contrastive": linssl.objectives.spectral_contrastive(views, 2),
        "info_nce": linssl.objectives.info_nce(views.as_pair(), 2),
        "barlow_twins": linssl.objectives.barlow_twins(views, 2),
        "alignment_only": linssl.objectives.alignment_only(views, 2),
        "invariance_only": linssl.objectives.invariance_only(views, 2),
    }.items():
        found |= solved(name, s, encoder=gram(s.encoder))
    s = linssl.reconstruction(clean, 2)
    found |= solved(
        "reconstruction", s, predictor=s.predictor,
        predictions=predictions(s, g.X[:6]),
        rows=linssl.subspace_distance(s.encoder, W.encoder),
    )  # fmt: skip
    s = linssl.objectives.reconstruction_path(clean, 2, 1.5)
    return found | solved("reconstruction_path", s, encoder=gram(s.encoder), predictor=s.predictor)


def of_sides():
    g = given()
    pair = linssl.pairs.two_modalities(g.X, g.Y)
    found, s = {}, linssl.canonical_correlation(pair, 2)
    critic = s.encoder.T @ s.second_encoder
    found |= solved("canonical_correlation", s, encoder=gram(s.encoder), critic=critic)
    s = linssl.supervised(linssl.with_label(g.X, g.labels))
    found |= solved("supervised", s, predictor=s.predictor, predictions=predictions(s, g.X[:6]))
    s = linssl.reconstruction(pair, 2)
    found |= solved("reconstruction of sides", s, predictor=s.predictor)
    s = linssl.objectives.adassl(pair, 2, 0.4)
    return found | solved(
        "adassl", s, encoder=gram(s.encoder), critic=s.encoder.T @ s.second_encoder,
        weight=s.weight, distortion=s.distortion, rate=s.rate, value=s.value,
    )  # fmt: skip


def of_groups():
    g = given()
    views, x = linssl.pairs.groups(g.groups), g.groups[:4]
    s = linssl.objectives.plda(views, 2, J)
    found = solved("plda", s, decoder=s.decoder @ s.decoder.T, within=s.within)
    for name, options in {
        "simvae": {},
        "simvae of plug-in prior": {"style": 0.5, "prior": "plug-in"},
    }.items():
        s = linssl.simvae(views, 2, J, **options)
        found |= solved(
            name, s, decoder=s.decoder @ s.decoder.T, noise=s.noise, style=s.style,
            pictures=s.posterior(x[:, 0]).mean @ s.decoder.T, likelihood=s.log_likelihood(x),
        )  # fmt: skip
        if s.prior == "exact":
            content = s.group_posterior(x).content.mean
            found |= named(name, content=content @ s.decoder.T)
    s = linssl.objectives.factorised_simvae(views, 2, J, style=0.5, noise=0.4)
    found |= solved("factorised_simvae", s, predictor=s.decoder @ s.encoder)
    bound = linssl.objectives.simvae_elbo(views, g.encoder.T, J, style=0.5, noise=0.4)
    return found | named("simvae_elbo", value=bound.value, encoder=bound.encoder)


def statuses():
    g = given()
    same = linssl.augmentations.Dropout(np.ones(5))
    twice = np.hstack([g.X, g.X[:, :1]])
    mates = linssl.same_class(g.X, g.labels, distinct=False)
    return named(
        "status",
        tie=status(linssl.joint_embedding(linssl.two_views(g.X, same), 2)),
        duplicate=status(
            linssl.joint_embedding(
                linssl.two_views(twice, linssl.augmentations.Dropout(np.ones(6))), 2
            )
        ),
        beyond=status(linssl.joint_embedding(mates, 5)),
        few=status(
            linssl.canonical_correlation(linssl.pairs.two_modalities(g.X[::12], g.Y[::12]), 3)
        ),
        dear=status(
            linssl.objectives.soft_constraint(
                linssl.two_views(g.X, linssl.GaussianNoise(g.noise)), 5, 2.0
            )
        ),
    )


def derivatives():
    g = given()

    def of(objective, make, dim, what):
        def value(size):
            return getattr(objective(make(g.X, linssl.GaussianNoise(size * g.noise)), dim), what)

        return eqx.filter_jit(jax.grad(value))(jnp.asarray(1.0))

    return named(
        "derivative",
        joint_embedding=of(linssl.joint_embedding, linssl.two_views, 2, "loss"),
        joint_embedding_gap=of(linssl.joint_embedding, linssl.two_views, 2, "gap"),
        reconstruction=of(linssl.reconstruction, linssl.view_and_clean, 2, "loss"),
        reconstruction_gap=of(linssl.reconstruction, linssl.view_and_clean, 2, "gap"),
    )


# Theory.

LAMBDA, GAMMA = np.array([2.0, 1.5, 1.0]), np.array([5.0, 3.5, 2.5, 0.7])
THETA, BASE = np.array([0.6, 0.5, 0.9]), np.array([0.05, 0.2, 0.1, 0.02])
ETA = np.array([0.15, 0.4, 0.7, 0.95])


def fields(results):
    """Name the numbers of all fields of results by name."""
    return {
        name: value
        for prefix, result in results.items()
        for name, value in named(
            prefix, **{f: np.asarray(v) for f, v in vars(result).items()}
        ).items()
    }


def thresholds():
    g, spectra = given(), (LAMBDA, GAMMA, THETA, BASE)

    def made():
        je, rc = linssl.theory.alignment_interval(*spectra, [0.02, 0.05, 0.1])
        return {
            "alignment": linssl.alignment_thresholds(*spectra),
            "alignment of two": linssl.alignment_thresholds(*spectra, 2),
            "alignment of blocks": linssl.alignment_thresholds(
                g.between, 3 * g.within, g.base, 0.1 * g.noise
            ),
            "alignment interval/joint embedding": je,
            "alignment interval/reconstruction": rc,
            "magnitude": linssl.theory.magnitude_regime(LAMBDA, GAMMA, THETA),
            "pairing": linssl.theory.pairing_thresholds(*spectra, 0.2, 0.3),
            "family": linssl.theory.family_thresholds(*spectra, 1.5, 2.0),
            "rescue": linssl.theory.rescue_thresholds(ETA, 0.5),
            "gap_scale": linssl.theory.gap_scale(g.between, g.noise, 2, 0.05),
        }

    return fields(at_once(made)) | named(
        "price",
        collapse=linssl.theory.collapse_prices([0.9, 0.5, 0.1, -0.2]),
        exchange=linssl.theory.exchange_rate(1.2, 0.4, 0.6, J),
    )


def finite_samples():
    gamma, base = np.geomspace(0.1, 0.8, 40), np.geomspace(0.05, 0.2, 40)
    spiked = (LAMBDA, gamma, THETA / 3, base, 2.0, 200.0)

    def made():
        return {
            "spiked_joint_embedding": linssl.theory.spiked_joint_embedding(*spiked),
            "spiked_reconstruction": linssl.theory.spiked_reconstruction(*spiked),
            "spiked_pca": linssl.theory.spiked_pca(LAMBDA, gamma, 200.0),
            "detection": linssl.theory.detection_threshold(
                LAMBDA, GAMMA[:3] / 10, THETA, BASE[:3], 25.0
            ),
        }

    risk = linssl.theory.labelled_probe_risk(0.7, 4, [8, 20, 100])
    return fields(at_once(made)) | named("labelled_probe", risk=risk)


def latents():
    rho = np.sqrt(1 - ETA)

    def made():
        return {
            "water_filling": linssl.theory.water_filling(ETA, 0.5),
            "l0_gate": linssl.theory.l0_gate(ETA, 0.2),
            "norm_budget": linssl.theory.norm_budget(ETA, 1.3),
            "norm_budget and latent": linssl.theory.norm_budget(ETA, 1.3, 0.5),
            "two_modes": linssl.theory.two_modes(0.9, 0.8, 0.5),
            "critic": linssl.theory.optimal_critic(rho),
        }

    critic = linssl.theory.optimal_critic(rho)
    return fields(at_once(made)) | named(
        "information",
        mutual=linssl.theory.mutual_information(rho),
        bilinear=linssl.theory.bilinear_value(rho, 2),
        critic=critic(np.array([0.5, -1.0, 0.3, 2.0]), np.array([0.4, -0.2, 1.0, 1.0])),
    )


def dynamics():
    g = given()

    def fixed():
        return {
            "byol": linssl.theory.byol_fixed_points(0.5, 0.05, 0.9, 1.2),
            "crossing": linssl.theory.learning_crossing(0.8, [0.5, 0.3], 3, 1e-3),
        }

    def paths():
        made = {
            "barlow_twins": linssl.theory.barlow_twins_dynamics([1.5, 0.8, -0.3], 0.01),
            "denoising": linssl.theory.denoising_dynamics([1.5, 0.8], [0.5, 0.2], 0.01),
            "jepa": linssl.theory.jepa_dynamics([1.2, 0.7], [1.5, 0.8], 2, 0.05),
            "mae": linssl.theory.mae_dynamics([1.2, 0.7], [1.5, 0.8], 2, 0.05),
        }
        times = np.array([0.5, 3.0])
        return {
            name: {"at": path(times).ravel(), "limit": path.limit, "time": path.learning_time(0.5)}
            for name, path in made.items()
        }

    found = fields(at_once(fixed))
    for name, path in at_once(paths).items():
        found |= named(f"dynamics/{name}", **path)
    rows = np.linalg.qr(g.X - g.mean)[0][:, :3]
    modes = linssl.theory.aligned_modes(
        linssl.pairs.two_modalities(rows * [3, 2, 1], rows * [1, 3, 2])
    )
    return found | named("modes", covariance=modes.covariance, variance=modes.variance)


# Augmentations and pairs.


def families():
    square, shares = (3, 3), np.array([0.2, 0.5, 0.3])
    rng = np.random.default_rng(7)
    patches = linssl.augmentations.image_patches(square, 2)
    noise = np.geomspace(0.1, 1.0, 9)
    gaussian, dropout = (
        linssl.GaussianNoise(noise),
        linssl.augmentations.Dropout(np.linspace(0.3, 0.9, 9)),
    )
    maps = rng.standard_normal((3, 9, 9)) / 3
    boxes = [[0, 0, 2, 2], [0.5, 1, 2, 1.5], [0, 0, 3, 3]]
    kernels = rng.standard_normal((3, 3, 3)) / 3
    return {
        "GaussianNoise": gaussian,
        "AlignedNoise": linssl.AlignedNoise(noise, noise[::-1].copy(), 1.7),
        "Dropout": dropout,
        "Dropout, rescaled": linssl.augmentations.Dropout(np.linspace(0.3, 0.9, 9), rescaled=True),
        "PatchMask": linssl.augmentations.PatchMask(patches, 0.6),
        "FixedCountMask": linssl.augmentations.FixedCountMask(patches, 2),
        "RandomMask": linssl.augmentations.RandomMask(rng.uniform(0, 1, (3, 9)), shares),
        "cutout": linssl.augmentations.RandomMask(linssl.augmentations.cutout_masks(square, 1)),
        "Brightness": linssl.augmentations.Brightness(0.6, 1.3),
        "Offset": linssl.augmentations.Offset(0.4),
        "CyclicFilters": linssl.augmentations.CyclicFilters(kernels, square, shares),
        "cyclic_shifts": linssl.augmentations.cyclic_shifts(square, 1),
        "Matrices": linssl.augmentations.Matrices(maps, shares),
        "PixelMoves": linssl.augmentations.PixelMoves(
            np.array([np.arange(9), np.r_[-1, :8]]), [0.4, 0.6]
        ),
        "Separable": linssl.augmentations.Separable(
            maps[:, :3, :3], maps[:, 3:6, :3], square, shares
        ),
        "shifts": linssl.augmentations.shifts(square, 1),
        "flip": linssl.augmentations.flip(square, 0.3),
        "quarter_turns": linssl.augmentations.quarter_turns(square),
        "blurs": linssl.augmentations.blurs(square, [0.0, 0.6, 1.2], shares),
        "crops": linssl.augmentations.crops(square, boxes, shares),
        "Mixup": linssl.augmentations.Mixup(0.6),
        "Mixture": linssl.augmentations.Mixture(
            [gaussian, dropout, linssl.augmentations.flip(square)], shares
        ),
        "compose": linssl.compose(linssl.augmentations.shifts(square, 1), dropout, gaussian),
    }


def augmentations():
    g, found = given(), {}
    made = families()
    for name, (pair, mean) in two_views_each(g.images, made).items():
        S, _, G = covariances(pair)
        found |= named(f"augmentation/{name}", view=S, shared=G, mean=np.mean(mean))
    for name in ("Dropout", "FixedCountMask", "Matrices", "Mixture", "compose"):
        clean = covariances(linssl.view_and_clean(g.images, made[name]))[2]
        found |= named(f"augmentation/{name}", clean=clean)
    masks, light = (
        linssl.augmentations.Dropout(np.full(9, 0.7)),
        linssl.augmentations.Brightness(0.5, 1.0),
    )
    pair = two_sides(g.images, g.images[:, ::-1].copy(), masks, light)
    return found | named(
        "augmentation/of two sides",
        **dict(zip(("first", "second", "cross"), covariances(pair), strict=True)),
    )


def pairs():
    g, found = given(), {}
    above = linssl.pairs.within_superclass([0, 0, 1, 1])
    made = {
        "same_instance": linssl.same_instance(g.X),
        "two_modalities": linssl.pairs.two_modalities(g.X, g.Y),
        "with_label": linssl.with_label(g.X, g.labels),
        "groups": linssl.pairs.groups(g.groups),
        "class_tuples": linssl.pairs.groups(
            linssl.pairs.class_tuples(g.X, g.labels, 3, jax.random.key(3))
        ),
        "same_class": linssl.same_class(g.X, g.labels),
        "same_class, with replacement": linssl.same_class(g.X, g.labels, distinct=False),
        "same_class of p and q": linssl.same_class(g.X, g.labels, 0.7, 0.2),
        "another_class": linssl.same_class(g.X, g.labels, 0.7, 0.2, linssl.pairs.another_class),
        "within_superclass": linssl.same_class(g.X, g.labels, 0.7, 0.2, above),
        "population": class_population(g.between, g.within, 0.7, 0.2),
    }
    views, clean, error = estimated(lambda x: np.sqrt(np.abs(x)) + x[::-1], g.X)
    made |= {"estimate": views, "estimate of clean": clean}
    for name, pair in made.items():
        S, C, G = covariances(pair)
        found |= named(f"pair/{name}", first=S, second=C, cross=G)
    merged = linssl.merge(linssl.same_instance(g.X[:30]), linssl.same_instance(g.X[30:] + 1))
    return found | named(
        "pair", standard_error=error, merged=covariances(merged)[0], mean=means(merged)[0]
    )


# What stands on them.


def metrics():
    g = given()
    pair = linssl.with_label(g.X, g.Y)
    halves = g.X[::2], g.labels[::2], g.X[1::2], g.labels[1::2]
    return named(
        "metric",
        subspace_distance=linssl.subspace_distance(g.encoder, g.encoder[:, ::-1].copy()),
        features=linssl.subspace_distance(g.encoder, [0, 2]),
        relative_error=linssl.metrics.relative_error(g.encoder, g.encoder + 0.1),
        probe_risk=linssl.metrics.probe_risk(g.encoder, pair),
        probe_r2=linssl.probe_r2(g.encoder, pair),
        linear_probe=linssl.metrics.linear_probe(g.encoder, pair),
        probe_accuracy=linssl.metrics.probe_accuracy(g.encoder, *halves),
    )


def sampling():
    key, g = jax.random.key(5), given()
    root, mean = np.triu(g.within), np.arange(5.0)  # any will do

    def drawn():
        spiked = linssl.populations.Spiked(LAMBDA, GAMMA[:2]).sample_moments(key, 50)
        covariance, centre = linssl.populations.gaussian_moments(key, jnp.asarray(g.between), 30)
        noisy, label = drawn_data(key, root, mean, 40.0, 3, jnp.ones(3))
        wide, _ = drawn_data(key, root, mean, 40.0, 5, jnp.ones(2), 2)
        return {
            "wishart": linssl.populations.wishart_root(key, 4, 5),
            "gaussian": covariance,
            "gaussian_mean": centre,
            "spiked_clean": spiked.clean,
            "spiked_corrupted": spiked.corrupted,
            "noisy": noisy,
            "noisy_mean": means(noisy)[0],
            "noisy_label": label,
            "appended": wide,
        }

    found = {}
    for name, value in at_once(drawn).items():
        moments = isinstance(value, linssl.PairMoments | linssl.Views)
        found |= named("sampled", **{name: covariances(value)[2] if moments else value})
    images = np.random.default_rng(1).uniform(0, 1, (4, 8, 8))
    for kind in ("gaussian_noise", "background", "pixelate", "zoom_blur"):
        found |= named("corrupted", **{kind: linssl.data.corrupt(images, kind, 3)})
    return found


COMPARED = ("joint_embedding", "reconstruction", "pca", "plda", "adassl", "invariance_only")


def comparison():
    problem = linssl.populations.content_style(
        [3.0, 2.0], [2.5, 1.4, 0.9], [0.5, 0.6, 0.7, 0.3, 0.4]
    )
    table = linssl.compare(problem, COMPARED, dims=[2])
    found = {}
    for objective in table.objective.values.tolist():
        row = table.sel(objective=objective, dim=2)
        found |= named(
            f"compare/{objective}",
            **{t: row.r2.sel(target=t) for t in ("content", "style", "noise")},
        )
    return found


def estimators():
    from linssl import estimators as models

    g, options, found = given(), {"aligned": np.eye(5)[0], "alpha": 1.5}, {}
    for name, model in {
        "JointEmbedding": models.JointEmbedding(2, **options),
        "Reconstruction": models.Reconstruction(2, **options),
        "SemanticJointEmbedding": models.SemanticJointEmbedding(2, fraction=0.8, **options),
        "SimVAE": models.SimVAE(2, group_size=J, style=0.5, **options),
    }.items():
        Z = model.fit(g.X, g.labels).transform(g.X[:6])
        found |= named(f"estimator/{name}", loss=model.loss_, spectrum=model.spectrum_)
        if name == "Reconstruction":
            found |= named(f"estimator/{name}", back=model.inverse_transform(Z))
        else:
            found |= named(f"estimator/{name}", codes=Z @ Z.T)
    return found


def designs():
    g, found = given(), {}
    axes = np.eye(5)[:2]
    for name, family in {
        "AlignmentFamily": linssl.designs.AlignmentFamily(g.base, np.array([0, 0, 1.0, 2.0, 0.5])),
        "DropoutFamily": linssl.designs.DropoutFamily(5, noise=0.1),
    }.items():
        made = linssl.design(g.X, family, subspace=axes, gap=0.1, tolerance=0.1)
        found |= named(
            f"design/{name}", strength=made.strength, gap=made.gap, kept=made.kept,
            feasible=made.feasible,
        )  # fmt: skip
    return found | named("design", projector=linssl.linalg.projector(g.between, 2))


def diagnoses():
    digits, rng = linssl.load_dataset("digits"), np.random.default_rng(3)
    nuisance = np.r_[np.zeros(9), 9.0, 7.0, 6.0]  # on three of twelve features; two are signal
    clean = rng.standard_normal((400, 12)) * np.r_[1.0, 0.8, np.full(10, 0.1)]
    X = clean + rng.standard_normal((400, 12)) * np.sqrt(nuisance) + 5.0
    aligned = linssl.AlignedNoise(np.full(12, 0.1), nuisance, 1.0)
    found = {}
    for name, data, labels, augmentation in (
        ("shifts", digits.X_train, digits.y_train, "shifts:1+noise:0.02"),
        ("masks", digits.X_train, digits.y_train, "mask:0.5"),
        ("aligned", X, None, aligned),
    ):
        d = linssl.diagnose(data, labels, augmentation=augmentation)
        facts = ("recommendation", "dim", "ceiling", "apart", "apart_error", "noise_floor")
        facts += ("difference", "difference_error", "held_out_ceiling", "chance")
        found |= named(f"diagnosis/{name}", **{f: getattr(d, f) for f in facts})
        for paradigm in ("joint_embedding", "reconstruction"):
            reading = getattr(d, paradigm)
            facts = ("gap", "gap_error", "kept", "kept_error", "margin", "keeps", "alpha")
            facts += ("held_out", "held_out_error")
            found |= named(
                f"diagnosis/{name}/{paradigm}", **{f: getattr(reading, f) for f in facts}
            )
    return found


AREAS = (
    of_views, of_sides, of_groups, statuses, derivatives, thresholds, finite_samples, latents,
    dynamics, augmentations, pairs, metrics, sampling, comparison, estimators, designs, diagnoses,
)  # fmt: skip


def compute():
    """Return every number by area and name, in double precision."""
    with jax.enable_x64(True):
        return {area.__name__: area() for area in AREAS}


RELATIVE = 1e-8
ABSOLUTE = 1e-10  # for numbers that are 0 but for rounding
LOOSER = {
    "simvae": 1e-6,  # EM stops where its gradient is small: digits are left
    "factorised_simvae": 1e-6,
    "estimator/SimVAE": 1e-6,
    "design/DropoutFamily": 0.02,  # the search stops 0.4 % from the weakest, as rounding has it
}


def differences(got, want):
    """Return what differs, as lines."""
    lines = [f"{name} is missing" for name in want.keys() - got.keys()]
    lines += [f"{name} is new: renew the record" for name in got.keys() - want.keys()]
    for name in want.keys() & got.keys():
        a, b = got[name], want[name]
        exact = any(isinstance(v, str | bool) or v is None for v in (a, b))
        if a != b if exact else abs(a - b) > ABSOLUTE + tolerance(name) * abs(b):
            lines.append(f"{name}: {a} was {b}")
    return sorted(lines)


def tolerance(name):
    return max((t for start, t in LOOSER.items() if name.startswith(start)), default=RELATIVE)


if __name__ == "__main__":
    RECORD.write_text(json.dumps(compute(), indent=0) + "\n")
