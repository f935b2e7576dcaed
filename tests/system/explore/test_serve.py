"""The command: this machine only, and errors in words."""

import builtins
import re
import socket
import subprocess
import sys
from unittest import mock

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
        with pytest.raises(SystemExit, match=rf"listen at 127.0.0.1, port {port} .*another --port"):
            main(["explore", "--port", str(port), "--no-browser"])


def test_what_is_of_data_needs_data():
    with pytest.raises(SystemExit, match=r"error: --labels is of data: linssl explore DATA"):
        main(["explore", "--labels", "species", "--no-browser"])
    for option in ("--standardise", "--kind=table"):
        with pytest.raises(SystemExit, match=f"error: {option.split('=')[0]} is of data"):
            main(["explore", option, "--no-browser"])
    with pytest.raises(SystemExit, match=r"error: labels must be a column of the data"):
        main(["explore", "digits", "--labels", "species", "--port", "0", "--no-browser"])


def test_an_impossible_port_or_host_is_an_error():
    with pytest.raises(SystemExit, match="error: port must be between 0 and 65535; got 65536"):
        main(["explore", "--port", "65536"])
    for host in ("203.0.113.1", "nowhere.invalid", "a..b", "[::1]", "2001:db8::1", "::1%nowhere"):
        with pytest.raises(ValueError, match=rf"at {re.escape(host)}, port 0 .*other --host"):
            serve.listen(host, 0)
    with pytest.raises(SystemExit, match="error: host must be an address or a name; got none"):
        main(["explore", "--host", ""])


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_the_address_of_ipv6_is_one_that_a_browser_understands(monkeypatch, capsys):
    uvicorn, marimo = pytest.importorskip("uvicorn"), pytest.importorskip("marimo")
    served = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda _, sockets: served.extend(sockets))
    monkeypatch.setattr(marimo, "create_asgi_app", mock.MagicMock())
    monkeypatch.setattr(uvicorn, "Config", mock.MagicMock())
    monkeypatch.setattr(serve, "_first", lambda query: b"")
    try:
        serve.listen("::1", 0).close()
    except ValueError:
        pytest.skip("needs an IPv6 loopback")
    main(["explore", "--host", "::1", "--port", "0", "--no-browser"])
    assert served[0].family == socket.AF_INET6
    assert re.search(r"explorer is at http://\[::1\]:\d+ ", capsys.readouterr().out)


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
