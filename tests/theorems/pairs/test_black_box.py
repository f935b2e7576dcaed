"""Black boxes: unbiased moments, honest errors, and clear words where the view misbehaves."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_sampled

import linssl
from linssl.linalg.structure import dense
from linssl.pairs import estimate_pair
from linssl.pairs.shared_draws import CALLS, COPIES, draws_are_shared

D, N = 3, 60
DATA = np.random.default_rng(0).standard_normal((N, D)) * [2.0, 1.0, 0.5] + [3.0, 0.0, -1.0]
VIEW = linssl.compose(
    linssl.augmentations.Dropout(0.8), linssl.GaussianNoise(jnp.asarray([0.5, 0.2, 0.1]))
)


def exact(data=DATA):
    """The exact pairs, of divisor n."""
    return linssl.two_views(data, VIEW), linssl.view_and_clean(data, VIEW)


def numpy_view(rng):
    def view(x):
        kept = (rng.random(D) < 0.8) * x
        return kept + rng.standard_normal(D) * np.sqrt([0.5, 0.2, 0.1])

    return view


def test_moments_of_a_jax_view_are_right_on_average(key):
    def view(key, x):
        return VIEW.sample(key, x)

    def one(k):
        found = estimate_pair(view, DATA, 2, k)
        moments = (found.views.covariance, found.views.shared, found.clean.cross)
        return [np.asarray(m) for m in moments]

    found = [one(k) for k in jax.random.split(key, 20)]
    views, clean = exact()
    # Given the instances, about the mean of all of them: n/(n-1) of what they scatter.
    want = [N / (N - 1) * views.shared + dense(views.spread), N / (N - 1) * views.shared]
    want += [N / (N - 1) * clean.cross]
    for samples, expected in zip(zip(*found, strict=True), want, strict=True):
        assert_sampled(np.stack(samples), expected)


def test_a_view_that_works_in_place_leaves_the_data_alone():
    def view(x):
        x += rng.standard_normal(x.shape)
        return x

    data = np.array(DATA)
    rng = np.random.default_rng(0)
    found = estimate_pair(view, data, 2)
    rng = np.random.default_rng(0)
    assert (data == DATA).all()
    again = estimate_pair(lambda x: x + view(0 * x), data, 2)
    assert (found.views.covariance == again.views.covariance).all()


def test_any_python_callable_will_do():
    rng = np.random.default_rng(0)
    images = DATA.reshape(N, 1, D)  # a view sees an instance in its own shape
    found = estimate_pair(lambda x: numpy_view(rng)(x[0])[None].tolist(), images, 50)
    views, _ = exact()
    error = np.asarray(found.standard_error)
    assert (np.abs(found.views.shared - N / (N - 1) * views.shared) < 5 * error + 1e-3).all()
    assert found.views.group_size == 50
    assert float(found.views.draws) == float(found.clean.draws) == N * 49
    assert float(found.views.count) == float(found.clean.count) == N


def test_what_views_share_is_unbiased_for_a_population_and_the_error_is_its_own(key):
    # Fresh instances each time, and few: the mean is estimated too.
    rng, population = np.random.default_rng(1), np.array([1.0, 0.5, 0.0])
    crosses, errors = [], []
    for _ in range(200):
        x = rng.standard_normal((20, D)) * np.sqrt(population) + 5.0
        found = estimate_pair(lambda x: x + rng.standard_normal(D), x, 2)
        crosses.append(np.asarray(found.views.shared))
        errors.append(np.asarray(found.standard_error))
    assert_sampled(np.stack(crosses), np.diag(population))
    ratio = np.sqrt(np.mean(np.square(errors), 0)) / np.std(crosses, 0)
    assert (np.abs(ratio - 1) < 0.25).all()
    del key


def test_within_instances_the_spread_is_positive_semidefinite():
    rng = np.random.default_rng(2)
    found = estimate_pair(lambda x: np.sin(x) * rng.standard_normal(D), DATA, 3)
    assert np.linalg.eigvalsh(found.views.spread).min() > -1e-6


def test_a_solution_within_its_error_is_not_warned_of_and_one_beyond_it_is():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((400, D)) * [3.0, 1.0, 0.3]
    found = estimate_pair(lambda x: x + rng.standard_normal(D), x, 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found.subspace_error(linssl.joint_embedding, 1) < 0.05
        assert found.subspace_error(linssl.reconstruction, 1, clean=True) < 0.05
    alike = np.tile(np.concatenate([np.eye(D), -np.eye(D)]), (5, 1))  # no direction stands out
    alike = estimate_pair(lambda x: x + rng.standard_normal(D), alike, 2)
    with pytest.warns(UserWarning, match=r"chance: its gap of .* is too small for 2 views of 30"):
        alike.subspace_error(linssl.joint_embedding, 1)


def test_the_error_of_a_subspace_is_no_larger_than_of_one_drawn_at_random():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((40, 12))  # all alike, and views of much noise
    found = estimate_pair(lambda x: x + 3 * rng.standard_normal(12), x, 2)
    whole = linssl.joint_embedding(found.views, 4).encoder
    left = [linssl.joint_embedding(views, 4).encoder for views, _ in found.without]
    assert 0.9 * sum(float(linssl.subspace_distance(w, whole)) for w in left) > 1  # first order
    with pytest.warns(UserWarning, match="^all of the 4-dimensional subspace is chance"):
        assert found.subspace_error(linssl.joint_embedding, 4) == 1 - 4 / 12


def test_the_error_of_a_subspace_is_what_fresh_estimates_show():
    rng = np.random.default_rng(4)
    truth, claimed, measured = np.eye(1, D), [], []
    for _ in range(60):
        x = rng.standard_normal((100, D)) * np.sqrt([2.0, 0.5, 0.3])
        found = estimate_pair(lambda x: x + rng.standard_normal(D), x, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            claimed.append(found.subspace_error(linssl.joint_embedding, 1))
        encoder = linssl.joint_embedding(found.views, 1).encoder
        measured.append(float(linssl.subspace_distance(encoder, truth)))
    assert 0.6 < np.mean(claimed) / np.mean(measured) < 1.6


def test_views_may_be_of_another_size_than_instances():
    found = estimate_pair(lambda x: x[:2], DATA, 2)
    assert found.views.covariance.shape == (2, 2)
    assert found.clean.cross.shape == (2, D)
    assert_close(found.views.shared, np.cov(DATA[:, :2].T), cond=10)
    assert_close(found.clean.mean_first, DATA[:, :2].mean(0), cond=10)
    assert_close(found.clean.mean_second, DATA.mean(0), cond=10)


def test_a_jax_view_and_its_key_give_the_same_estimate_again(key):
    view = lambda key, x: VIEW.sample(key, x)  # noqa: E731
    a, b = (estimate_pair(view, DATA, 2, key).views.shared for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert (estimate_pair(view, DATA, 2, jax.random.key(9)).views.shared != a).any()


@pytest.mark.parametrize("constant", [0.0, 0.09, 1 / 3, 1e6])
def test_a_constant_feature_is_singular_and_not_the_best_of_all(constant):
    rng = np.random.default_rng(5)
    x = rng.standard_normal((333, D))
    x[:, 2] = constant
    found = estimate_pair(lambda x: x + rng.normal(0, [0.5, 0.5, 0.0]), x, 5)
    assert found.views.covariance[2, 2] == found.views.shared[2, 2] == 0
    status = linssl.Status(int(linssl.joint_embedding(found.views, 1).status))
    assert status & linssl.Status.SINGULAR


@pytest.mark.x64
def test_a_large_mean_costs_no_digits():
    x = np.random.default_rng(6).standard_normal((200, D)) * [1.0, 0.8, 0.6]

    def estimate(mean):
        rng = np.random.default_rng(7)
        return estimate_pair(lambda row: row + rng.normal(0, 0.5, D), x + mean, 4)

    near, far = estimate(0.0), estimate(1e7)
    np.testing.assert_allclose(far.views.shared, near.views.shared, atol=1e-7)
    np.testing.assert_allclose(far.clean.cross, near.clean.cross, atol=1e-7)


def test_the_order_of_instances_does_not_inflate_the_error():
    x = np.random.default_rng(8).standard_normal((500, 2))
    errors = []
    for rows in (x, x[np.argsort(x[:, 0])]):
        rng = np.random.default_rng(9)
        errors.append(estimate_pair(lambda r: r + rng.normal(size=2), rows, 2).standard_error)  # noqa: B023
    assert errors[1][0, 0] < 2 * errors[0][0, 0]


def test_a_view_that_has_changed_is_not_remembered(key):
    class View:
        scale = 0.0

        def __call__(self, key, x):
            return x + self.scale * jax.random.normal(key, x.shape, x.dtype)

    view = View()
    before = estimate_pair(view, DATA, 2, key).views.covariance[0, 0]
    view.scale = 50.0
    assert estimate_pair(view, DATA, 2, key).views.covariance[0, 0] > 10 * before


class Tensor:
    """What a tensor of torch does, as far as a view and numpy see it: numpy is refused a gradient,
    and what isn't in its memory.
    """

    def __init__(self, values, grad=True, device="cuda"):
        self.values, self.grad, self.device = np.asarray(values), grad, device

    def __array__(self, dtype=None, copy=None):
        if self.grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        if self.device != "cpu":
            raise TypeError("can't convert cuda:0 device type tensor to numpy.")
        return self.values if dtype is None else self.values.astype(dtype)

    def detach(self):
        return Tensor(self.values, False, self.device)

    def cpu(self):
        return Tensor(self.values, self.grad, "cpu")

    def clone(self):
        return Tensor(self.values.copy(), self.grad, self.device)

    def __getitem__(self, where):
        return Tensor(self.values[where], self.grad, self.device)

    def __len__(self):
        return len(self.values)

    def __iter__(self):
        return (self[i] for i in range(len(self)))


def block_view(rng):
    """Dropout and noise of a block."""

    def view(x):
        kept = rng.random(x.shape) < 0.8
        return kept * x + rng.standard_normal(x.shape) * np.sqrt([0.5, 0.2, 0.1])

    return view


def test_a_batched_view_has_the_moments_of_one_a_call():
    found = [
        [np.asarray(M) for M in (e.views.spread, e.views.shared, e.clean.cross)]
        for seed in range(20)
        for e in (
            estimate_pair(block_view(np.random.default_rng(seed)), DATA, 2, batched=True),
            estimate_pair(numpy_view(np.random.default_rng(seed + 100)), DATA, 2),
        )
    ]
    views, clean = exact()
    share = N / (N - 1)
    want = [dense(views.spread), share * views.shared, share * clean.cross]
    for i, expected in enumerate(want):
        batched, single = (np.stack([f[i] for f in found[side::2]]) for side in (0, 1))
        assert_sampled(batched, expected)
        assert_sampled(batched - single, np.zeros((D, D)))


def test_tensors_are_handed_on_as_tensors_without_gradients_and_read_wherever_they_are():
    data, rng = Tensor(DATA), np.random.default_rng(0)
    seen = []

    def view(x):
        seen.append(x)
        x.values += rng.standard_normal(x.values.shape)
        return Tensor(x.values)

    one, all_at_once = (estimate_pair(view, data, 2, batched=b) for b in (False, True))
    assert {type(x) for x in seen} == {Tensor}
    assert (data.values == DATA).all()
    rng = np.random.default_rng(0)
    again = estimate_pair(lambda x: x + rng.standard_normal(x.shape), DATA, 2)
    np.testing.assert_array_equal(one.views.spread, again.views.spread)
    assert (np.abs(np.diagonal(all_at_once.views.spread) - 1) < 0.6).all()


HONEST = {
    "noise": lambda rng, x: x + rng.standard_normal(x.shape),
    "heavy tails": lambda rng, x: x + rng.standard_cauchy((len(x), 1)) ** 3,
    "flips": lambda rng, x: np.where(rng.random((len(x), 1)) < 0.5, x, x[:, ::-1]),
    "rare flips": lambda rng, x: np.where(rng.random((len(x), 1)) < 0.01, x, x[:, ::-1]),
    "rare and heavy": lambda rng, x: (
        x + (rng.random((len(x), 1)) < 0.02) * rng.standard_cauchy((len(x), 1))
    ),
    "nothing drawn": lambda rng, x: np.sin(x),
    "every draw once in a block": lambda rng, x: x * rng.permutation(len(x))[:, None],
    "rounding of its call": lambda rng, x: np.sin(x) * (1 + 1e-12 * rng.standard_normal()),
}
SHARED = {
    "brightness": lambda rng, x: x * rng.uniform(0.5, 1.5),
    "flip": lambda rng, x: x if rng.random() < 0.5 else x[:, ::-1],
    "a flip of ten": lambda rng, x: x if rng.random() < 0.1 else x[:, ::-1],
    "mask": lambda rng, x: x * (rng.random(x.shape[1:]) < 0.8),
    "brightness under noise": lambda rng, x: (
        x * rng.uniform(0.5, 1.5) + 0.5 * rng.standard_normal(x.shape)
    ),
}


def calls_of(view, seed):
    """Calls of a view on copies of an instance."""
    rng = np.random.default_rng(seed)

    def views_of(number):
        copies = np.tile(DATA[number], (COPIES, 1))
        return np.stack([view(rng, copies) for _ in range(CALLS)])

    return views_of


@pytest.mark.parametrize("case", HONEST)
def test_draws_of_their_own_raise_no_alarm(case):
    assert not any(draws_are_shared(calls_of(HONEST[case], seed)) for seed in range(50))


@pytest.mark.parametrize("case", SHARED)
def test_a_draw_for_a_whole_block_is_found(case):
    assert all(draws_are_shared(calls_of(SHARED[case], seed)) for seed in range(3))
    rng = np.random.default_rng(9)
    with pytest.raises(ValueError, match="draw for each instance apart with batched=True"):
        estimate_pair(lambda x: SHARED[case](rng, x), DATA, 2, batched=True)


@pytest.mark.parametrize("draw", [
    lambda rng, x: x + rng.standard_normal(x.shape),
    lambda rng, x: x * (rng.random(x.shape) < 0.9),
    lambda rng, x: rng.uniform(0.5, 1.5, (len(x), 1)) * x,
])  # fmt: skip
def test_draws_that_every_call_repeats_are_found(draw):
    with pytest.raises(ValueError, match="view must draw anew in every call with batched=True"):
        estimate_pair(lambda x: draw(np.random.default_rng(0), x), DATA, 2, batched=True)


@pytest.mark.parametrize("blank", [0.0, 3.0])
def test_blank_instances_do_not_hide_a_draw_for_a_whole_block(blank):
    rng, data = np.random.default_rng(9), np.array(DATA)
    data[:: len(data) // 5] = blank
    with pytest.raises(ValueError, match="draw for each instance apart with batched=True"):
        estimate_pair(lambda x: (x - blank) * rng.normal(), data, 2, batched=True)


def test_a_view_that_changes_nothing_is_warned_of_and_a_deterministic_one_is_not():
    for batched in (False, True):
        with pytest.warns(UserWarning, match="unchanged, .* pass data as a tensor"):
            estimate_pair(lambda x: x, DATA, 2, batched=batched)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            estimate_pair(lambda x: 1.01 * x, DATA, 2, batched=batched)
            estimate_pair(lambda x: x + 1, DATA, 2, batched=batched)
            estimate_pair(lambda x: x[..., ::-1], DATA, 2, batched=batched)
