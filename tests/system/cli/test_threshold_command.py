"""`linssl threshold`, as a user types it."""

import json

import pytest

from linssl.cli import main


def run(capsys, text):
    main(text.split())
    return capsys.readouterr().out


def test_threshold_prints_both_alignments_and_a_verdict(capsys):
    out = run(capsys, "threshold --signal 3 2 --noise 5")
    assert "alpha > 0.387298" in out  # sqrt(0.5/2 - 0.5/5)
    assert "alpha > 1.42302" in out  # sqrt(5 * 2.5/4 - 1 - 0.5/5)
    assert "Joint embedding needs less alignment" in out


def test_json_is_machine_readable(capsys):
    record = json.loads(run(capsys, "threshold --signal 3 2 --noise 5 --json"))
    assert record["joint_embedding"]["alpha_squared_above"] == pytest.approx(0.15)
    assert record["reconstruction"]["alpha_squared_above"] == pytest.approx(2.025)
    assert record["reconstruction"]["alpha_squared_below"] is None


def test_weak_noise_favours_reconstruction(capsys):
    out = run(capsys, "threshold --signal 3 2 --noise 1 --base-noise 0.01")
    assert "Reconstruction needs less alignment" in out


def test_harmless_noise_needs_no_alignment(capsys):
    out = run(capsys, "threshold --signal 3 2 --noise 0.1")
    assert out.count("any alpha") == 2
    assert "Neither needs alignment" in out


@pytest.mark.parametrize(
    "signal", ["--signal 3,2", "--signal=3,2", "--signal 1 2.5,3", "--signal 3, 2", "--signal 3;2"]
)
def test_numbers_joined_by_commas_are_neither_taken_apart_nor_for_decimals(signal):
    with pytest.raises(SystemExit, match=r"numbers must stand apart by spaces, and have points"):
        main(f"threshold {signal} --noise 5".split())


def test_reversed_case_is_named(capsys):
    out = run(capsys, "threshold --signal 3 2 --noise 50 --noise-on-signal 1")
    assert "Reversed for reconstruction" in out
    record = json.loads(run(capsys, "threshold --signal 3 2 --noise 50 --noise-on-signal 1 --json"))
    assert record["reconstruction"]["alpha"] is None


def test_thresholds_of_n_samples_are_the_closed_form_and_say_what_is_open(capsys):
    text = "threshold --signal 3 2 --noise 5 5 5 5 5 5 5 --samples 100"
    record = json.loads(run(capsys, f"{text} --json"))["with_samples"]
    je, rc = record["joint_embedding"], record["reconstruction"]
    # (1 + sqrt(q/n)) theta/lambda - theta/gamma, for n less one for the mean
    squared = (1 + (7 / 99) ** 0.5) * 0.5 / 2 - 0.5 / 5
    assert je["begins_at_alpha"] == pytest.approx(squared**0.5)
    # 1 - o = a/(1 - n_i/n + a), averaged: 0.1 there
    p = [s / (je["keeps_90_percent_from_alpha"] ** 2 + 0.1 - s) for s in (0.5 / 3, 0.5 / 2)]
    lost = [v / 5 * 7 * q**2 / 99 / (1 - 7 * q**2 / 99 + v / 5 * 7 * q**2 / 99)
            for v, q in zip((3, 2), p, strict=True)]  # fmt: skip
    assert sum(lost) / 2 == pytest.approx(0.1)
    assert rc["begins_at_alpha"] is None
    assert rc["open"] == "where it begins is open: no formula is known"
    assert 1.42 < rc["keeps_90_percent_from_alpha"] < 2.5
    out = run(capsys, text)
    assert "with 100 samples" in out
    assert "alpha > 0.514233" in out
    assert "where it begins is open" in out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--signal 3 -2 --noise 5", "signal must hold variances > 0; got -2"),
        ("--signal nan --noise 5", "signal must be finite"),
        ("--signal 3 --noise 5 --dim 2", "dim must be between 1 and 1"),
        ("--signal 3 --noise 5 --samples 2", "samples must be a number >= 3, two more than sig"),
        (
            "--signal 3 2 --noise 5 --dim 1 --samples 9",
            "dim must be 2, the number of signals, with",
        ),
        (
            "--signal 3 --noise 5 --noise-on-signal 1 --samples 9",
            "samples can't be given with noise-on-signal: what n samples find there is open",
        ),
        ("--signal 3 2 1 --noise 5 --base-signal 1 2", "base_signal must be a scalar or one of"),
        ("--signal 3 2 --noise 5 --noise-on-signal 1 --dim 1", "dim must be 2"),
        ("--signal --noise 5", "signal must be "),
    ],
)
def test_bad_input_is_one_line_not_a_traceback(text, message):
    with pytest.raises(SystemExit, match=f"error: {message}"):
        main(["threshold", *text.split()])


def test_unknown_command_exits_with_usage(capsys):
    with pytest.raises(SystemExit):
        main(["thresold"])
    assert "threshold" in capsys.readouterr().err


def test_version(capsys):
    assert run(capsys, "--version").startswith("linssl ")


def test_no_arguments_show_help_with_examples(capsys):
    with pytest.raises(SystemExit):
        main([])
    out = capsys.readouterr().out
    assert "linssl threshold --signal 3 2 --noise 5" in out


def test_precision_of_the_process_is_left_alone(capsys):
    import jax

    before = jax.config.jax_enable_x64
    run(capsys, "threshold --signal 3 2 --noise 5")
    assert jax.config.jax_enable_x64 == before


def test_a_threshold_of_exactly_zero_is_not_called_none(capsys):
    out = run(capsys, "threshold --signal 3 2 --noise 0.5 --base-signal 0 --base-noise 0")
    assert "Neither needs alignment" not in out


@pytest.mark.parametrize("scale", ["e200", "e-200"])
def test_extreme_units_change_nothing(capsys, scale):
    text = "--signal 3U 2U --noise 5U --base-signal 0.5U --base-noise 0.5U --json"
    record = json.loads(run(capsys, "threshold " + text.replace("U", scale)))
    assert record["reconstruction"]["alpha_squared_above"] == pytest.approx(2.025)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("threshold --signal 3 --signal 2 --noise 5", "--signal must come once, with all of them"),
        ("threshold --signal 3 --noise=5 --noise 1", "--noise must come once, with all of them"),
        ("threshold --signal 3 --noise 5 --base_noise 1 --base-noise 2", "--base-noise must come"),
        ("theorems check --problems 0", "problems must be >= 1; got 0"),
    ],
)
def test_what_would_be_replaced_or_not_be_run_is_refused(text, match):
    with pytest.raises(SystemExit, match=match):
        main(text.split())


def test_a_threshold_beyond_any_float_is_null_in_json(capsys):
    record = json.loads(run(capsys, "threshold --signal 1e-300 --noise 1e300 --json"))
    assert record["reconstruction"]["alpha"] is None
    assert record["joint_embedding"]["alpha"] == pytest.approx(7.0710678e149)
