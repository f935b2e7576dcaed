"""What the command of the catalogue refuses, and the words that say so."""

import pytest

from linssl.cli import main


@pytest.mark.parametrize(
    ("options", "message"),
    [("--problems 0", "problems must be >= 1; got 0"), ("--seed -1", "seed must be >= 0; got -1")],
)
def test_impossible_numbers_are_refused(options, message):
    with pytest.raises(SystemExit, match=f"error: {message}"):
        main(["theorems", "check", "joint-embedding", *options.split()])
