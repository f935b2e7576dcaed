"""The explorer's numbers are those of the public functions, and cost no compilation."""

import contextlib
import csv
import dataclasses
import io

import jax
import jax.monitoring
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pytest
from helpers import assert_sampled

from linssl import subspace_distance
from linssl.explore import explanations, model
from linssl.explore.code import as_python
from linssl.explore.figure import Panels
from linssl.explore.page import as_csv, write_address
from linssl.explore.plain_numbers import percent, plain
from linssl.explore.presets import PRESETS, REGIMES
from linssl.explore.state import CONTROLS, DEFAULT, View, to_query
from linssl.runtime import over_cells

SMALL = View(signals=2, noises=2, dim=2, n=200, fraction=0.6, mislabelled=0.2, beta=0.3)
SAID = {
    "Both keep the signal": "Both keep the signal.",
    "Only joint embedding": "Only joint embedding keeps the signal.",
    "Only reconstruction": "Only reconstruction keeps the signal.",
    "Neither keeps the signal": "Neither keeps the signal.",
    "Too few pairs": "Only joint embedding keeps the signal, but n = 20 is too few for joint",
    "Class pairs rescue": "Both keep the signal.",
    "Mislabelled class pairs": "Only joint embedding keeps the signal.",
    "A larger embedding rescues": "Both keep the signal.",
    "A smaller embedding is safer": "Both keep the signal.",
    "AdaSSL lifts uncertain signals": "Both keep the signal.",
}


@pytest.fixture(scope="module")
def panels():
    return Panels()


@pytest.mark.parametrize(
    "view",
    [View(signals=2, noises=2, dim=2, n=200), dataclasses.replace(SMALL, dim=3)],
    ids=["one instance", "classes"],
)
def test_the_lines_of_python_compute_the_numbers_on_the_page(view):
    numbers, names = model.solve(view), {}
    with contextlib.redirect_stdout(io.StringIO()), jax.enable_x64(True):
        exec(as_python(view), names)
        limit = [float(names["lost"](names[s].encoder)) for s in ("je", "rc")]
    close = {"rtol": 1e-8, "atol": 1e-10}
    np.testing.assert_allclose(numbers.limit, limit, **close)
    k = min(view.dim, 4)
    for scores, name in zip(numbers.scores, ("je", "rc"), strict=True):
        np.testing.assert_allclose(scores[:k], names[name].spectrum[:k], **close)
    t = names["t"]
    squares = [t.joint_embedding_squared, t.reconstruction_squared]
    np.testing.assert_allclose(numbers.squares, squares, **close)
    fractions = [t.joint_embedding_fraction, t.reconstruction_fraction]
    np.testing.assert_allclose(numbers.fractions, fractions, **close)
    if view.beta < 1:
        np.testing.assert_allclose(numbers.lifted**2, names["hint"].weight, **close)
        rate = np.sum(np.asarray(names["hint"].rate)[:k])
        np.testing.assert_allclose(numbers.rate, rate, **close)


def test_the_lines_of_python_are_few_and_stand_for_every_k():
    assert as_python(DEFAULT).count("\n") <= 14
    for dim in (1, 2, 4, 12):
        compile(as_python(dataclasses.replace(SMALL, dim=dim)), "view", "exec")


def test_the_share_lost_is_the_subspace_distance_where_k_is_no_more_than_the_signals():
    asked = model.problem(View(signals=4, dim=3))
    W = np.random.default_rng(0).standard_normal((model.FEATURES, model.FEATURES))
    with jax.enable_x64(True):
        want = subspace_distance(W[:3], range(3))
        np.testing.assert_allclose(model.share_lost(jnp.asarray(W), asked), want, rtol=1e-12)


@pytest.mark.parametrize("name", REGIMES)
def test_every_regime_is_what_it_is_called(name):
    view = REGIMES[name].view
    assert explanations.verdict(view, model.solve(view)).headline.startswith(SAID[name])


def test_thresholds_say_what_the_solved_population_does():
    for preset in PRESETS.values():
        numbers = model.solve(preset.view)
        kept = explanations.keeps(preset.view, numbers)
        assert [bool(lost < 1e-9) for lost in numbers.limit] == list(kept)


def test_no_slider_compiles_anything(panels):
    compiled = []

    def listen(event, duration, **_):
        if "compile" in event:
            compiled.append(event)

    panels.draw(DEFAULT, model.solve(DEFAULT))
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        for name, control in CONTROLS.items():
            for value in (control.steps[0], control.steps[-1]):
                view = dataclasses.replace(DEFAULT, **{name: value})
                panels.draw(view, model.solve(view))
        assert compiled == []
        jax.jit(lambda x: x + len(compiled))(0.5)  # the listener does hear
        assert compiled
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


@pytest.mark.parametrize("name", CONTROLS)
def test_the_ends_of_every_slider_give_finite_numbers(name):
    base = View(fraction=0.5, mislabelled=0.3, beta=0.4, dim=7)
    for value in (CONTROLS[name].steps[0], CONTROLS[name].steps[-1]):
        view = dataclasses.replace(base, **{name: value})
        numbers = model.solve(view)
        for field in ("scores", "lifted", "rate", "limit", "fractions", "distance", "error"):
            assert np.isfinite(getattr(numbers, field)).all(), field
        assert not np.isnan(numbers.squares).any()
        assert explanations.verdict(view, numbers).headline


def test_moments_of_pairs_are_those_of_the_population_on_average():
    asked, n, same, wrong = model.problem(SMALL), 50, 24, 6

    def cell(*, seed):
        counts = jnp.array([n - same - wrong, same, wrong], float)
        views = model.pairs(model.draw(counts=counts, seed=seed), counts, asked)
        return views.covariance, views.shared, views.draws

    assert model.split(50, 0.6, 0.2) == (n - same - wrong, same, wrong)
    with jax.enable_x64(True):
        S, G, draws = over_cells(cell, seed=np.arange(400))
    assert_sampled(S, np.diag(asked.signal + asked.noise))
    assert_sampled(G, np.diag(asked.signal * (n - wrong) + asked.noise * (n - same - wrong)) / n)
    assert (np.asarray(draws) == same + wrong).all()  # the others don't differ


def test_the_process_keeps_its_configuration():
    before = dict(jax.config.values), dict(mpl.rcParams), mpl.get_backend()
    panels = Panels()
    panels.draw(SMALL, model.solve(SMALL))
    panels.png(SMALL, model.solve(SMALL))
    assert before == (dict(jax.config.values), dict(mpl.rcParams), mpl.get_backend())


def test_a_picture_does_not_depend_on_what_was_shown_before(panels):
    other = View(signals=10, noises=10, dim=9)
    numbers = model.solve(SMALL)
    first = panels.draw(SMALL, numbers)
    assert first.startswith(b"\x89PNG")
    assert panels.draw(other, model.solve(other)) != first
    assert panels.png(SMALL, model.solve(SMALL)).startswith(b"\x89PNG")
    assert panels.draw(SMALL, numbers) == first


def test_the_table_holds_the_numbers_of_the_panels():
    numbers = model.solve(SMALL)
    rows = list(csv.DictReader(io.StringIO(as_csv(SMALL, numbers))))
    lost = [r for r in rows if r["panel"] == "share lost from n pairs"]
    assert len(lost) == 2 * (len(model.SIZES) + 1)
    assert float(lost[-1]["value"]) == numbers.distance[1, -1]
    assert {r["x"]: r["value"] for r in rows if r["panel"] == "view"}["fraction"] == "0.6"


class Query(dict):
    """What marimo's query parameters can do."""

    set, remove = dict.__setitem__, dict.__delitem__


def test_the_address_becomes_that_of_the_view():
    query = Query(alpha="1e99", evil="1", n="1000")
    write_address(query, SMALL)
    assert query == to_query(SMALL)


def test_numbers_in_words_have_no_power_of_ten():
    words = [percent(share) for share in (1.0, 0.9951, 0.994, 0.25, 2e-5, 0.0)]
    assert words == ["100 %", "100 %", "99 %", "25 %", "0.002 %", "0 %"]
    written = [plain(value) for value in (0, 1e6, 0.0001234, 6.5, -20.0, 100.0)]
    assert written == ["0", "1,000,000", "0.000123", "6.5", "-20", "100"]
    assert plain(1e308) == "1e+308"
