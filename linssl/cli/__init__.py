"""The command line: `linssl recommend`, `diagnose`, `design`, and others; see `linssl --help`."""

import io
import os
import re
import signal
import sys
from typing import Any

import tyro

from linssl import __version__
from linssl.cli.compare import Compare, compare
from linssl.cli.design import DesignCommand, design
from linssl.cli.diagnose import Diagnose, diagnose
from linssl.cli.explore import Explore, explore
from linssl.cli.moments import Moments, moments
from linssl.cli.recommend import Recommend, recommend
from linssl.cli.sweep import SweepCommand, sweep
from linssl.cli.theorems import Theorems, theorems
from linssl.cli.threshold import Threshold, threshold
from linssl.runtime.compile_cache import keep_compiled

BROKEN_PIPE = 141  # what a shell expects: 128 and the number of the signal
# options that take several values
SEVERAL = ("--axis", "--constant", "--signal", "--noise", "--base-signal", "--base-noise")
SEVERAL += ("--noise-on-signal",)
DESCRIPTION = """Exactly solvable self-supervised learning.

For example:
  linssl threshold --signal 3 2 --noise 5
  linssl recommend digits
  linssl diagnose digits --augmentation shifts:1
  linssl compare codes.npy --data images.npy --augmentation shifts:2
  linssl design digits --dim 16 --tolerance 0.1
  linssl moments embeddings.npy --out embeddings
  linssl sweep run experiments/phase_map.toml --out phase_map.zarr
  linssl sweep --help
  linssl explore
  linssl theorems check
  linssl --version
"""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line.

    Args:
        arguments: as typed; None reads them from the process.
    """
    own = arguments is None  # of a process that is this command and nothing else
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments == ["--version"]:
        print(f"linssl {__version__}")
        return
    if arguments in ([], ["sweep"]):
        arguments = [*arguments, "--help"]
    if arguments == ["theorems"]:
        arguments = ["theorems", "list"]
    _refuse(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # no report is lost for a letter
    try:
        options = _parsed(arguments)
        if own:
            keep_compiled()
        _run(options)
        if sys.stdout is not None:  # as where it is closed
            sys.stdout.flush()
    except BrokenPipeError:
        _leave()
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):  # as rich turns it into
            _leave()
        raise
    except (ValueError, ImportError, OSError, MemoryError) as error:
        raise SystemExit(f"error: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None


def _parsed(arguments: list[str]) -> Any:
    return tyro.extras.subcommand_cli_from_dict(
        {
            "threshold": Threshold,
            "recommend": Recommend,
            "diagnose": Diagnose,
            "compare": Compare,
            "design": DesignCommand,
            "moments": Moments,
            "sweep": SweepCommand,
            "explore": Explore,
            "theorems": Theorems,
        },
        prog="linssl",
        description=DESCRIPTION,
        args=arguments,
    )


def _run(options: Any) -> None:
    if isinstance(options, Threshold):
        threshold(options)
    elif isinstance(options, Diagnose):
        diagnose(options)
    elif isinstance(options, Recommend):
        recommend(options)
    elif isinstance(options, Compare):
        compare(options)
    elif isinstance(options, DesignCommand):
        design(options)
    elif isinstance(options, Moments):
        moments(options)
    elif isinstance(options, Explore):
        explore(options)
    elif isinstance(options, Theorems):
        theorems(options.command)
    else:
        sweep(options.command)


def _refuse(arguments: list[str]) -> None:
    """Exit where a parser would take arguments for others, or say nothing of why it doesn't."""
    flags = [a.partition("=")[0].replace("_", "-") for a in arguments]
    for flag in SEVERAL:
        if flags.count(flag) > 1:  # the last would replace the others
            example = "a=1,2 b=3" if flag in SEVERAL[:2] else "3 2"
            raise SystemExit(f"error: {flag} must come once, with all of them: {flag} {example}")
    joined = [a for a in arguments if re.fullmatch(r"(--[\w-]+=)?[\d.e+-]+([,;][\d.e+-]*)+", a)]
    if joined and arguments[0] in ("threshold", "design"):
        raise SystemExit(
            "error: numbers must stand apart by spaces, and have points: --signal 3 2.5; got "
            f"{joined[0]}"
        )


def _leave() -> None:
    """Exit as a program whose reader has gone, such as head, without a word more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is flushed at exit
    raise SystemExit(BROKEN_PIPE)
