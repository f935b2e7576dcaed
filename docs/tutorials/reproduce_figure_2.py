"""Reproduce Figure 2 of Joint-Embedding vs Reconstruction, in small.

Clean data are the first 20 principal components of real digits. Corrupted data have 20 features of
irrelevant noise besides, weak or strong. Views add a base augmentation, and alpha times fresh noise
of the same kind. Does a paradigm return to the solution on clean data as n grows? The paper's
answers are 18 curves: 3 paradigms, 3 alignments, 2 strengths of noise.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np

import linssl

K, SIZES, ALPHAS = 20, (100, 1600, 51_200), (0.1, 1.0, 10.0)
NOISE = {"weak": (0.06, 0.3), "strong": (6.0, 30.0)}  # in units of the weakest signal's variance
# In the paper: which curves fall, for the three alignments.
PAPER = {
    ("supervised", "weak"): (True, True, True),
    ("joint embedding", "weak"): (False, True, True),
    ("reconstruction", "weak"): (True, True, True),
    ("supervised", "strong"): (True, True, True),
    ("joint embedding", "strong"): (False, True, True),
    ("reconstruction", "strong"): (False, False, True),
}


@jax.jit
def distances(data, base, gamma, alpha):
    """How far each paradigm is from its own solution on the same n clean samples."""
    summary, key = linssl.NoisyData.from_pair(data, appended=K), jax.random.key(1)
    noisy, clean = (summary.sample_moments(key, g) for g in (gamma, 0 * gamma))
    view = linssl.AlignedNoise(base, jnp.concatenate([jnp.zeros(K), gamma]), alpha)
    je = linssl.joint_embedding(linssl.two_views(noisy.same, view), K)
    rc = linssl.reconstruction(linssl.view_and_clean(noisy.same, view), K)
    predictors = [
        linssl.supervised(linssl.augment_sides(label, a, None)).predictor
        for label, a in ((noisy.label, view), (clean.label, linssl.GaussianNoise(base)))
    ]
    # On clean data both encoders span the signal, the first K features, whatever alpha is.
    return {
        "supervised": linssl.metrics.relative_error(*predictors),
        "joint embedding": linssl.subspace_distance(je.encoder, range(K)),
        "reconstruction": linssl.subspace_distance(rc.encoder, range(K)),
    }


with jax.enable_x64(True):
    data = linssl.load_dataset("digits")
    X = data.X_train - data.X_train.mean(0)
    scores = X @ np.linalg.svd(X, full_matrices=False)[2][:K].T
    unit, hot = scores.var(0)[-1], np.eye(10)[data.y_train]
    base, found = unit * np.repeat([0.6, 0.006], K), {}
    for n in SIZES:
        rows = np.random.default_rng(0).choice(len(X), n)
        pair = linssl.with_label(scores[rows], hot[rows])  # all that is read of the samples
        for (level, ends), alpha in itertools.product(NOISE.items(), ALPHAS):
            gamma = unit * np.linspace(*ends, K)
            for name, value in distances(pair, base, gamma, alpha).items():
                found.setdefault((name, level, alpha), []).append(float(value))

agree = 0
print("distance to the clean solution at n =", *SIZES)
for (name, level), falls in PAPER.items():
    for alpha, wanted in zip(ALPHAS, falls, strict=True):
        curve = found[name, level, alpha]
        agree += wanted == (curve[-1] < max(curve) / 5)
        numbers = " ".join(f"{value:8.1g}" for value in curve)
        verdict = "falls" if curve[-1] < max(curve) / 5 else "stays"
        print(f"{name:16s} {level:6s} noise, alpha = {alpha:4g}: {numbers}  {verdict}")
print(f"{agree} of 18 curves do as in the paper.")
