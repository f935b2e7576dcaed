"""Encoders leave the library: numpy alone reads their files, and scikit-learn takes them."""

import pickle

import jax
import numpy as np
import pytest
from helpers import any_types
from sklearn.base import clone
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

import linssl
from linssl.estimators import JointEmbedding, as_estimator
from linssl.objectives import save_encoder

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 4)) * [3, 2, 1, 0.5] + 5
NOISE = linssl.GaussianNoise(np.ones(4))


def je(dim=2):
    return linssl.joint_embedding(linssl.two_views(X, NOISE), dim)


def rc():
    return linssl.reconstruction(linssl.view_and_clean(X, NOISE), 2)


def read(path):
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


@pytest.mark.x64
def test_numpy_alone_encodes_and_decodes_from_the_file(tmp_path):
    solution = rc()
    save_encoder(solution, tmp_path / "encoder.npz")
    file = read(tmp_path / "encoder.npz")
    codes = (X - file["mean"]) @ file["encoder"].T
    np.testing.assert_allclose(codes, solution(X))
    decoded = codes @ file["decoder"].T + file["second_mean"]
    np.testing.assert_allclose(decoded, solution.predict(X))
    np.testing.assert_array_equal(file["spectrum"], solution.spectrum)
    assert (str(file["kind"]), int(file["version"]), int(file["status"])) == ("Solution", 1, 0)
    save_encoder(je(), tmp_path / "encoder.npz")
    assert "decoder" not in read(tmp_path / "encoder.npz")


@pytest.mark.x64
def test_a_solution_is_the_estimator_that_would_have_found_it():
    ours, fitted = as_estimator(je()), JointEmbedding(2, augmentation=NOISE).fit(X)
    np.testing.assert_allclose(np.abs(ours.transform(X)), np.abs(fitted.transform(X)), rtol=1e-6)
    assert ours.n_features_in_ == 4
    assert ours.loss_ == pytest.approx(fitted.loss_)
    again = pickle.loads(pickle.dumps(ours))
    np.testing.assert_array_equal(again.transform(X), ours.transform(X))
    both = as_estimator(rc())
    np.testing.assert_allclose(both.inverse_transform(both.transform(X)), rc().predict(X))


@pytest.mark.x64
def test_in_a_pipeline_it_stays_as_it_is():
    encoder, y = as_estimator(je()), (X[:, 0] > 5).astype(int)
    pipeline = make_pipeline(encoder, RidgeClassifier())
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.8
    np.testing.assert_array_equal(clone(encoder).fit(X[:9]).transform(X), encoder.transform(X))


def test_what_is_no_solution_of_one_problem_is_refused(tmp_path):
    for export in (lambda s: save_encoder(s, tmp_path / "e.npz"), as_estimator):
        with any_types(), pytest.raises(ValueError, match="must be a Solution; got ndarray"):
            export(X)
        with (
            any_types(),
            pytest.raises(ValueError, match=r"one problem; got encoders of shape \(2, "),
        ):
            export(jax.tree.map(lambda leaf: jax.numpy.stack([leaf] * 2), je()))
        with pytest.raises(ValueError, match="solution must be concrete: export it outside"):
            jax.eval_shape(export, je())
    with pytest.raises(ValueError, match="this objective has no decoder"):
        as_estimator(je()).inverse_transform(X[:, :2])
    with pytest.raises(ValueError, match="X must have 4 features, as the solution; got 3"):
        as_estimator(je()).fit(X[:, :3])
    singular = linssl.joint_embedding(linssl.same_instance(X * [1, 1, 1, 0]), 2)
    with pytest.raises(linssl.objectives.NumericalTroubleError, match="SINGULAR"):
        as_estimator(singular)
