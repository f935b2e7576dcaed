"""`linssl design`, as a user types it."""

import contextlib
import json

import numpy as np
import pytest

from linssl.cli import main


def run(capsys, text):
    main(text.split())
    return capsys.readouterr().out


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Two classes, and plates that are stronger: 600 rows of four features."""
    rng = np.random.default_rng(0)
    y, plate = rng.integers(0, 2, 600), rng.integers(0, 3, 600)
    X = rng.standard_normal((600, 4)) * [1, 1, 0.3, 1]
    X[:, 0] += 2.5 * y
    X[:, 1] += 5.0 * plate
    file = tmp_path_factory.mktemp("design") / "rows.csv"
    rows = [",".join([*map(str, x), "ab"[k]]) for x, k in zip(X, y, strict=True)]
    file.with_name("features.csv").write_text("\n".join(["one,two,three,four,kind", *rows]))
    rows = [f"{row},p{p}" for row, p in zip(rows, plate, strict=True)]
    file.write_text("\n".join(["one,two,three,four,kind,plate", *rows]))
    return file


def test_of_spectra_the_alignment_has_the_gap_that_was_asked_for(capsys):
    text = "design --signal 3 2 --noise 5 0.5 --gap 0.1"
    record = json.loads(run(capsys, f"{text} --json"))
    base = 0.1 * np.mean([3, 2, 5, 0.5])
    signal = 2 / (2 + base)
    alpha = record["alpha"]
    noise = [g / (g + base + alpha**2 * g) for g in (5, 0.5)]
    assert record["feasible"]
    assert signal - max(noise) == pytest.approx(0.1, rel=1e-4)
    assert record["strength"] == pytest.approx(4 * base + alpha**2 * 5.5)
    out = run(capsys, text)
    assert "The weakest of the family alignment, for joint embedding with 2 codes:" in out
    assert f"alpha       {alpha:.4g}" in out
    assert "OK: gap 0.1 (asked for 0.1), kept 1 (0.95)." in out


def test_a_nuisance_that_a_column_tells_is_what_noise_is_aligned_with(capsys, table):
    out = run(capsys, f"design {table} --labels kind --nuisance plate --gap 0.1 --tolerance 0.3")
    assert "The weakest of the family alignment, for joint embedding with 1 codes:" in out
    assert "alpha" in out


@pytest.mark.parametrize(
    ("family", "key", "names"),
    [
        ("noise", "variances", ["one", "two", "three", "four"]),
        ("dropout", "dropped", ["one", "two", "three", "four"]),
        ("mixture --parts noise:0.1 dropout:0.5", "weights", ["noise:0.1", "dropout:0.5"]),
    ],
)
def test_other_families_tell_their_numbers_by_name(capsys, table, family, key, names):
    text = f"design {table.with_name('features.csv')} --labels kind"
    with contextlib.suppress(SystemExit):  # whatever is found, it is told
        main(f"{text} --family {family} --json --tolerance 0.5 --gap 0.001".split())
    record = json.loads(capsys.readouterr().out)
    assert list(record[key]) == names
    assert record["family"] == family.split()[0]


def test_where_nothing_is_found_it_says_what_is_missing_and_exits_with_1(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["design", "--signal", "3", "2", "--noise", "5", "--gap", "0.97"])
    out = capsys.readouterr().out
    assert stop.value.code == 1
    assert "None found; the nearest of the family alignment" in out
    assert "The search ended short of the gap." in " ".join(out.split())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "DATA must be given, or --signal and --noise; got neither"),
        ("--signal 3 --noise -5", "noise must hold variances > 0; got -5"),
        (
            "--signal 3 --noise 5 --family noise",
            "family must be alignment with --signal; got",
        ),
        ("--signal 3,2 --noise 5", "numbers must stand apart by spaces, and have points"),
        ("digits --signal 3", "signal and noise are in place of DATA; got both"),
        ("digits --labels none", "labels must be given, a column of DATA or a file"),
        ("digits --family mixture", "parts must be two or more, such as --parts noise:0.01"),
        ("digits --parts flips noise", "parts are for family mixture; got family alignment"),
        ("digits --base 0", "base must be > 0 and finite; got 0"),
        ("digits --gap 2", r"gap must lie in \(0, 1\), as scores do; got 2"),
    ],
)
def test_what_cannot_be_designed_is_refused_in_words(text, says):
    with pytest.raises(SystemExit, match=f"^error: .*{says}"):
        main(f"design {text}".split())
