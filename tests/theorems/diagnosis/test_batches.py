"""Batches: what is planted is found, what isn't is not, and centring is what it says."""

import json

import cells
import numpy as np
import pytest
from scipy import sparse

import linssl
from linssl.data.targets import check_targets
from linssl.diagnosis import batches, samples
from linssl.diagnosis.rows import CentredRows, DataRows
from linssl.pairs.centring import as_batches, parts_of
from linssl.pairs.held import held_variances

NAMED = {"labels": "kind", "groups": None, "batch": ["plate"], "dim": 2}


@pytest.fixture(scope="module")
def planted():
    return linssl.diagnose(cells.annotated(), **NAMED)


def uneven(n=90, d=4):
    """Rows in batches of very uneven sizes, some of one row, with means far from one another."""
    rng = np.random.default_rng(0)
    of = np.concatenate([[0, 1], np.repeat([2, 3, 4, 5], [2, 9, 30, n - 43])])
    rng.shuffle(of)
    return rng.standard_normal((n, d)) * [1, 2, 3, 4] + 100 * rng.standard_normal((6, d))[of], of


def test_the_covariance_of_centred_rows_is_the_unbiased_one_within_batches():
    X, of = uneven()
    means = np.stack([X[of == g].mean(0) for g in range(6)])
    rows = CentredRows(DataRows(X), of, means, np.zeros(4, bool)).doubles(np.arange(len(X)))
    np.testing.assert_allclose(rows.mean(0), X.mean(0), atol=1e-10)
    within = parts_of(as_batches(of, len(X), 0), data=X).within
    np.testing.assert_allclose(np.cov(rows.T, ddof=0), within, rtol=1e-9, atol=1e-9)


def test_variances_from_sums_are_those_of_the_covariances():
    X, of = uneven()
    means = np.stack([X[of == g].mean(0) for g in range(6)])
    scatter = np.stack([((X[of == g] - m) ** 2).sum(0) for g, m in enumerate(means)])
    between, within = held_variances(np.bincount(of), means, scatter)
    parts = parts_of(as_batches(of, len(X), 0), data=X)
    np.testing.assert_allclose(within, np.diag(parts.within), rtol=1e-9)
    np.testing.assert_allclose(between, np.diag(parts.between), rtol=1e-9)


@pytest.mark.x64
def test_the_share_of_a_part_is_that_of_its_rows(planted):
    found = batches.check_batches("plate", cells.PLATE, cells.N, None)
    parts = samples.Samples(cells.COUNTS, None, 0)
    sums = batches.sums_of(parts, found)
    for folds in (samples.ALL, samples.halves()[3]):
        rows = np.concatenate([parts.rows[f] for f in folds])
        held = linssl.pairs.held_by(cells.COUNTS[rows].astype(float), cells.PLATE[rows])
        assert sums.share(folds) == pytest.approx(float(held.share), rel=1e-9)
    assert planted.batches[0].share == pytest.approx(sums.share(samples.ALL), rel=1e-12)


def test_a_planted_batch_is_found_and_centring_helps(planted):
    (plate,) = planted.batches
    assert plate.verdict == "helps"
    assert (plate.count, plate.one_label) == (4, 0)
    assert plate.share > 0.5
    assert [f.name for f in plate.features[:2]] == ["gene 3", "gene 2"]
    for codes, reading in (
        (plate.joint_embedding, planted.joint_embedding),
        (plate.reconstruction, planted.reconstruction),
    ):
        # Genes can't tell r from s, which leaves 2/3; their noise leaves 0.9 of that.
        assert 0.55 < codes.told < 2 / 3
        assert reading.kept < 0.05
        assert codes.kept > 0.3
        assert codes.change == pytest.approx(codes.kept - reading.kept, abs=1e-12)
        assert codes.change > 10 * codes.change_error
    assert any("Centre the data by plate" in step for step in planted.next_steps)


def test_words_json_and_page_tell_of_batches_and_of_genes(planted):
    text, record, page = str(planted), json.loads(planted.to_json()), planted.to_html()
    for told in (text, page):
        assert "plate (4 batches) holds" in told
        assert "Centring by plate helps." in " ".join(told.split())
        assert "gene 3" in told
    assert record["batches"][0]["joint_embedding"]["change"] > 0.3
    assert record["named_features"]["joint_embedding"][0]["name"] in ("gene 2", "gene 3")
    assert len(record["named_features"]["joint_embedding_codes"]) == 2
    assert "feature_names" not in record
    assert planted.feature_names == cells.GENES
    assert page.count("data:image/png;base64,") == 3


def test_sparse_and_dense_rows_with_names_or_without_have_one_diagnosis(planted):
    for data in (cells.COUNTS, sparse.csr_matrix(cells.COUNTS)):
        d = linssl.diagnose(data, cells.KIND, batch={"plate": cells.PLATE}, dim=2)
        assert d.named_features is None
        assert d.joint_embedding == planted.joint_embedding
        assert d.batches[0].joint_embedding == planted.batches[0].joint_embedding
        assert "Features, by" not in str(d)
        assert "Features by name" not in d.to_html()


def test_a_batch_that_holds_nothing_is_told_so():
    verdicts = []
    for seed in range(5):
        plate = np.random.default_rng(seed).permutation(cells.PLATE)
        d = linssl.diagnose(cells.COUNTS, cells.KIND, batch={"plate": plate}, dim=2)
        verdicts.append(d.batches[0].verdict)
        if verdicts[-1] == "nothing held":
            assert "There is nothing to centre by." in d.batches[0].reason
    # Three numbers are told from 0 where they exceed two errors: at most 1 in 15 by chance.
    assert verdicts.count("nothing held") >= 4


def test_batches_of_one_label_cannot_be_told_from_labels():
    both = np.char.add(cells.KIND, cells.PLATE)
    d = linssl.diagnose(cells.COUNTS, cells.KIND, batch={"both": both, "plate": cells.PLATE})
    confounded, plate = d.batches
    assert confounded.verdict == "confounded"
    assert confounded.one_label == confounded.count == 12
    assert "Each of its batches has one label only" in confounded.reason
    assert plate.verdict == "helps"
    half = np.where(cells.KIND == "B", "x", cells.PLATE)
    (some,) = linssl.diagnose(cells.COUNTS, cells.KIND, batch=half, dim=2).batches
    assert some.one_label == 1
    assert some.of_labels > 0.3
    assert "1 of its batches have one label only. By itself it tells" in some.reason


def test_without_labels_centring_is_left_open():
    (plate,) = linssl.diagnose(cells.annotated(), labels="none", batch="plate").batches
    assert plate.verdict is None
    assert plate.joint_embedding.kept is None
    assert "Labels (--labels) would say" in plate.reason


def test_views_that_are_called_are_centred_to_what_the_same_words_say():
    variance = 0.1 * cells.COUNTS.var(0).mean()
    rng = np.random.default_rng(0)

    def view(block):
        return block + rng.normal(0, variance**0.5, block.shape)

    options = {"labels": cells.KIND, "batch": {"plate": cells.PLATE}, "dim": 2}
    called = linssl.diagnose(
        cells.COUNTS, **options, view=view, batched=True, views_per_sample=8
    )  # fmt: skip
    words = linssl.diagnose(cells.COUNTS, **options, augmentation="noise:0.1")
    (got,), (want,) = called.batches, words.batches
    assert got.verdict == want.verdict
    # What is called is drawn: it may leave undecided what exact moments decide.
    assert got.recommendation in (want.recommendation, "undecided")
    assert got.verdict == "helps"
    assert got.share == want.share
    for paradigm in ("joint_embedding", "reconstruction"):
        a, b = getattr(got, paradigm), getattr(want, paradigm)
        assert abs(a.kept - b.kept) < 2 * max(a.kept_error, b.kept_error)
        assert abs(a.change - b.change) < 2 * max(a.change_error, b.change_error)
    (step,) = (step for step in called.next_steps if step.startswith("Centre"))
    assert "Centre the data, and what the view returns, by plate" in step


def test_what_varies_between_batches_only_is_gone_once_they_are_centred():
    plate = 1e6 + 7.3 * np.unique(cells.PLATE, return_inverse=True)[1]
    X = np.concatenate([cells.COUNTS[:, :5], plate[:, None]], axis=1)
    found = batches.check_batches("batch", cells.PLATE, cells.N, None)
    parts = samples.Samples(X, check_targets(cells.KIND, cells.N), 0)
    centred = batches.centred(parts, found, batches.sums_of(parts, found))
    assert centred is not None
    assert centred.constant.tolist() == [5]
    (told,) = linssl.diagnose(X, cells.KIND, batch=cells.PLATE, dim=2).batches
    assert told.verdict == "helps"
    nothing = plate[:, None] * np.arange(1, 7)
    (told,) = linssl.diagnose(nothing, cells.KIND, batch=cells.PLATE, groups=cells.DONOR).batches
    assert "Nothing that codes could be made of is left" in told.reason


def test_what_one_paradigm_drops_and_the_other_keeps_is_named():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((cells.N, 4)) * [1, 0.9, 3, 0.1]
    pandas = pytest.importorskip("pandas")
    data = pandas.DataFrame(X, columns=["quiet", "still", "loud", "faint"])
    loud = linssl.GaussianNoise(np.array([0.02, 0.02, 40.0, 0.02]))
    found = linssl.diagnose(data, augmentation=loud, dim=2).named_features
    assert [f.name for f in found.reconstruction_more] == ["loud"]
    assert {f.name for f in found.joint_embedding} == {"quiet", "still"}
    assert found.nuisance[0][0].name == "loud"
    assert len(found.joint_embedding_more) == 1
    still = linssl.diagnose(data, augmentation="brightness:0", dim=2).named_features
    assert still.joint_embedding == still.joint_embedding_codes == ()  # its codes are arbitrary
