"""Where the command line writes to: no report is lost for a letter or for a reader who has gone."""

import io
import os
import subprocess
import sys

import pytest

from linssl.cli import main


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("theorems list", "entries"),
        ("threshold --signal 3 2 --noise 5", "alpha > 0.387298"),
        ("threshold --signal 3 2 --noise 5 --json", '"alpha"'),
    ],
)
def test_output_that_knows_few_letters_still_gets_all(monkeypatch, text, said):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii"))
    main(text.split())
    sys.stdout.flush()
    assert said in written.getvalue().decode("ascii")


@pytest.mark.parametrize("text", ["theorems", "theorems show reconstruction"])
def test_a_reader_who_has_gone_ends_it_without_a_word(text):
    command = [sys.executable, "-m", "linssl", *text.split()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 141
    process.stderr.close()


@pytest.mark.parametrize("columns", ["0", "1", "20"])
def test_a_narrow_terminal_costs_no_digits(columns):
    command = [sys.executable, "-m", "linssl", "threshold", "--signal", "3", "2", "--noise", "5"]
    env = os.environ | {"COLUMNS": columns}
    out = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    assert "alpha > 0.387298" in out  # none at all of 0 columns, 0.3… of 20
    assert "Joint embedding needs less alignment than reconstruction." in out


def test_closed_streams_are_no_error():
    command = f"{sys.executable} -m linssl threshold --signal 3 2 --noise 5 >&- 2>&- <&-"
    assert subprocess.run(["bash", "-c", command]).returncode == 0
