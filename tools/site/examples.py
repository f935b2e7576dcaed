# pyright: reportArgumentType=false, reportOptionalIterable=false, reportOptionalMemberAccess=false
# What readers know to be there, such as the labels of digits, types leave open.
"""Examples of the API's pages: a section for each name, run from top to bottom by a test.

What a line prints stands beside it. The first section is what all others go on from.
"""

# %% all of them
import jax
import jax.numpy as jnp
import numpy as np

import linssl

data = linssl.load_dataset("digits")
x, y = data.X_train, data.y_train  # (1347, 64) pixels, and which digit
noise = linssl.GaussianNoise([0.05] * 64)

# %% load_dataset
data = linssl.load_dataset("digits")  # or a file of yours
print(data.X_train.shape, data.image)  # (1347, 64) (8, 8, 1)

# %% with_label
pair = linssl.with_label(x, y)  # classes become one column each; numbers stay as they are
print(pair.cross.shape)  # (64, 10)

# %% same_instance
print(linssl.same_instance(x).shared.shape)  # (64, 64)

# %% same_class
views = linssl.same_class(x, y)  # two images of one digit
print(linssl.joint_embedding(views, 9).encoder.shape)  # (9, 64)

# %% GaussianNoise
shake = linssl.GaussianNoise(0.1 * x.var(0))  # variances, (64,), or a covariance, (64, 64)
print(shake.sample(jax.random.key(0), jnp.asarray(x)).shape)  # (1347, 64)

# %% AlignedNoise
irrelevant = np.cov((x - [x[y == label].mean(0) for label in y]).T)  # within digits
aligned = linssl.AlignedNoise(np.full(64, 0.05), irrelevant, 2.0)
found = linssl.joint_embedding(linssl.two_views(x, aligned), 9)
print(linssl.explain(found)[:2])  # OK

# %% Augmentation
darker = linssl.augmentations.Dropout(0.5)  # one that is there; yours has the same two methods
print(isinstance(darker, linssl.Augmentation))  # True

# %% compose
both = linssl.compose(linssl.augmentations.Dropout(0.5), noise)  # dropout first
print(linssl.two_views(x, both).spread.shape)  # (64,)

# %% two_views
views = linssl.two_views(x, noise)
print(views.shared.shape, views.spread[:2])  # (64, 64) [0.05 0.05]

# %% view_and_clean
pair = linssl.view_and_clean(x, noise)
print(np.allclose(pair.second, np.cov(x.T, bias=True)))  # True

# %% augment
same = linssl.same_class(x, y)
print(np.allclose(linssl.augment(same, noise).shared, same.shared))  # True

# %% augment_sides
pair = linssl.augment_sides(linssl.with_label(x, y), noise, None)  # labels stay as they are
print(pair.first.shape, pair.second.shape)  # (64, 64) (10, 10)

# %% Views
views = linssl.Views(np.diag([3.0, 1.0]), 0.5 * np.eye(2), np.zeros(2), count=1000, draws=1000)
print(np.diag(views.covariance))  # [3.5 1.5]

# %% PairMoments
left, right = x[:, :32], x[:, 32:]
pair = linssl.PairMoments.from_samples(left, right)
print(pair.cross.shape, int(pair.count))  # (32, 32) 1347

# %% merge
whole, parts = linssl.same_instance(x), [linssl.same_instance(part) for part in (x[:500], x[500:])]
print(np.allclose(linssl.merge(*parts).shared, whole.shared))  # True

# %% save_moments
linssl.save_moments(linssl.two_views(x, noise), "moments.npz")

# %% load_moments
print(type(linssl.load_moments("moments.npz")).__name__)  # Views

# %% joint_embedding
je = linssl.joint_embedding(linssl.two_views(x, noise), dim=8)
print(je(x).shape)  # (1347, 8)

# %% reconstruction
rc = linssl.reconstruction(linssl.view_and_clean(x, noise), dim=8)
print(rc.encoder.shape, rc.decoder.shape)  # (8, 64) (64, 8)

# %% supervised
best = linssl.supervised(linssl.augment_sides(linssl.with_label(x, y), noise, None))
print(best.encoder.shape)  # (10, 64)

# %% canonical_correlation
halves = linssl.PairMoments.from_samples(x[:, 8:16], x[:, 48:56])
ridge = linssl.GaussianNoise([0.01] * 8)  # some pixels never vary
cca = linssl.canonical_correlation(linssl.augment_sides(halves, ridge, ridge), 2)
print(cca.encoder.shape, cca.second_encoder.shape)  # (2, 8) (2, 8)

# %% simvae
groups = linssl.pairs.class_tuples(x, y, 4, key=jax.random.key(0))  # four images of a digit
views = linssl.augment(linssl.pairs.groups(groups), noise)
found = linssl.simvae(views, 4, group_size=4)
print(found.encoder.shape)  # (4, 64)

# %% Solution
je = linssl.joint_embedding(linssl.two_views(x, noise), dim=8)
print(je.spectrum[:8].shape, je.mean.shape)  # (8,) (64,)

# %% Status
print(linssl.Status(int(je.status)) == linssl.Status.OK)  # True

# %% check
codes = linssl.check(je)(x)  # raises where anything is wrong

# %% explain
print(linssl.explain(je).startswith("OK"))  # True

# %% identified
print(np.count_nonzero(linssl.identified(je).encoder.any(1)))  # 8

# %% subspace_distance
print(f"{linssl.subspace_distance(je.encoder, rc.encoder):.2f}")  # 0.00

# %% probe_r2
print(linssl.probe_r2(je.encoder, linssl.with_label(x, y)) < 1)  # True

# %% NoisyData
clean = linssl.NoisyData.from_pair(linssl.same_instance(x))
drawn = clean.sample_moments(jax.random.key(0), noise.covariance)  # as of 1 347 noisy rows
print(drawn.same.covariance.shape)  # (64, 64)

# %% compare
problem = linssl.populations.content_style(content=[4.0, 3.0], style=[2.0, 1.0], noise=0.5)
table = linssl.compare(problem, ["joint_embedding", "pca"], dims=[2])
print(dict(table["r2"].sizes))  # {'objective': 2, 'dim': 1, 'target': 3}

# %% diagnose
found = linssl.diagnose(x, y, augmentation="mask:0.5", dim=9)
print(found.recommendation)  # reconstruction

# %% recommend
best = linssl.recommend(x, y, dim=9, kind="table")
print(best.answer, f"{best.recommended.value:.2f}")  # either 0.90

# %% design
family = linssl.designs.AlignmentFamily(np.full(64, 0.05), irrelevant)
found = linssl.design(x, family, dim=16, labels=y, tolerance=0.1)
print(found.reason)  # OK: gap 0.01849 (asked for 0.01), kept 0.9 (0.9).

# %% alignment_thresholds
found = linssl.alignment_thresholds([3.0, 2.0], [5.0], base_signal=0.5, base_noise=0.5)
print(f"{found.joint_embedding:.2f} {found.reconstruction:.2f}")  # 0.39 1.42


# %% Sweep
clean = linssl.NoisyData.from_pair(linssl.same_instance(x))
pca = linssl.joint_embedding(linssl.two_views(x, noise), 9).encoder


def cell(key, *, variance):
    """Solve one cell of a table: how far noise on the data turns the codes away."""
    drawn = clean.sample_moments(key, jnp.full(64, variance)).same
    found = linssl.joint_embedding(linssl.augment(drawn, noise), 9)
    return {"distance": linssl.subspace_distance(found.encoder, pca)}


sweep = linssl.Sweep(cell, axes={"variance": [0.01, 0.1, 1.0]}, seeds=2)

# %% run_sweep
table = linssl.run_sweep(sweep, "table.zarr")  # killed, it goes on from there
print(table["distance"].mean("seed").values.round(2))  # [0.   0.05 0.5 ]

# %% open_sweep
print(list(linssl.open_sweep("table.zarr").data_vars))  # ['distance']
