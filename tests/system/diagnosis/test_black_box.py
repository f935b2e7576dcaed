"""A view in a process of its own: it, and all that it started, ends when it must."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from linssl.diagnosis.black_box import ViewProcess

VIEWS = """
import subprocess
import time

def spawning(x):
    subprocess.Popen(["sh", "-c", "while :; do echo >> beats; sleep 0.1; done"])
    return x

def hanging(x):
    spawning(x)
    time.sleep(600)
"""
USE = """
import signal
import sys
import time
import numpy as np
from linssl.diagnosis.black_box import ViewProcess

# Whoever runs the tests in the background has this ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
with ViewProcess(sys.argv[1], 600.0, 0) as view:
    view(np.ones(2))
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "views.py").write_text(VIEWS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def beats(folder):
    """How often the process that the view has started has given a sign of life."""
    return (folder / "beats").stat().st_size if (folder / "beats").exists() else 0


def within_a_minute(condition):
    return any(condition() or time.sleep(0.1) for _ in range(600))  # on a busy machine


def started(folder):
    return within_a_minute(lambda: beats(folder) > 0)


def gone(folder):
    def still():
        before = beats(folder)
        time.sleep(1)
        return beats(folder) == before

    return any(still() for _ in range(5))


def test_what_a_view_that_hangs_has_started_ends_with_it(folder):
    with (
        ViewProcess("views:hanging", 2.0, 0) as view,
        pytest.raises(ValueError, match=r"view views:hanging hangs: one call took more than 2 s"),
    ):
        view(np.ones(2))
    assert started(folder)
    assert gone(folder)


def test_what_a_view_has_started_ends_when_it_is_done_with(folder):
    with ViewProcess("views:spawning", 60.0, 0) as view:
        view(np.ones(2))
        assert started(folder)
        before = beats(folder)
        assert within_a_minute(lambda: beats(folder) > before)
    assert gone(folder)


@pytest.mark.parametrize("view", ["hanging", "spawning"])
def test_however_the_caller_ends_the_view_ends_too(tmp_path, view):
    callers = {}
    for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):  # side by side: much is waiting
        folder = tmp_path / sent.name
        folder.mkdir()
        (folder / "views.py").write_text(VIEWS)
        callers[sent] = subprocess.Popen(
            [sys.executable, "-c", USE, f"views:{view}"],
            cwd=folder,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
    assert all(started(tmp_path / sent.name) for sent in callers)
    for sent, caller in callers.items():
        os.killpg(caller.pid, sent)  # as a terminal does, at Ctrl-C: to the caller's group
        _, error = caller.communicate(timeout=20)
        assert caller.returncode != 0
        assert ("KeyboardInterrupt" in error) == (sent == signal.SIGINT)
    assert all(gone(tmp_path / sent.name) for sent in callers), view
