"""The command: this machine only, and errors in words."""

import builtins
import socket
import subprocess
import sys

import pytest

from linssl.cli import main
from linssl.cli.explore import Explore
from linssl.explore import serve
from linssl.explore.model import solve
from linssl.explore.state import DEFAULT


def test_only_this_machine_is_served_unless_a_host_is_given():
    assert Explore().host == "127.0.0.1"
    with serve.listen(Explore().host, 0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_a_port_in_use_is_an_error_that_says_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=rf"listen at 127.0.0.1:{port} .*another --port"):
            main(["explore", "--port", str(port), "--no-browser"])


def test_an_impossible_port_or_host_is_an_error():
    with pytest.raises(SystemExit, match="error: port must be between 0 and 65535; got 65536"):
        main(["explore", "--port", "65536"])
    with pytest.raises(ValueError, match=r"nothing can listen at 203\.0\.113\.1:0"):
        serve.listen("203.0.113.1", 0)


def test_without_marimo_the_error_names_the_extra(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "marimo":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SystemExit, match=r"needs marimo: pip install 'linssl\[explore\]'"):
        main(["explore", "--no-browser"])


def test_the_model_needs_no_marimo():
    code = "import sys, linssl.cli, linssl.explore.model, linssl.explore.figure; " + (
        "assert 'marimo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_notebook_runs_without_a_browser_and_shows_the_default_view():
    from linssl.explore.app import app

    outputs, names = app.run()
    assert names["view"] == DEFAULT
    assert names["numbers"].squares.tolist() == solve(DEFAULT).squares.tolist()
    assert any("Only joint embedding keeps the signal." in str(o.text) for o in outputs if o)
