"""The explorer's server: this machine only, unless a host is given."""

import socket
import threading
import webbrowser
from pathlib import Path

APP = Path(__file__).with_name("app.py")
MISSING = "the explorer needs marimo: pip install 'linssl[explore]'"


def serve(host: str = "127.0.0.1", port: int = 2718, browser: bool = True) -> None:
    """Serve the explorer until interrupted.

    Args:
        host: the address to listen at; the default is reached from this machine only.
        port: 0 takes any that is free.
        browser: whether to open one.

    Raises:
        ImportError: marimo isn't installed.
        ValueError: nothing can listen there.
    """
    try:
        import marimo
        import uvicorn
    except ImportError:
        raise ImportError(MISSING) from None
    from linssl.explore.web import guarded, with_first_picture

    page = marimo.create_asgi_app(quiet=True).with_app(path="/", root=str(APP)).build()
    app = guarded(with_first_picture(page, _first), host)
    with listen(host, port) as listening:
        name = f"[{host}]" if ":" in host else host
        address = f"http://{name}:{listening.getsockname()[1]}"
        threading.Thread(target=_warm_up, daemon=True).start()
        print(f"The explorer is at {address} (Ctrl-C ends it).", flush=True)
        if browser:
            threading.Timer(0.5, webbrowser.open, [address]).start()
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens, or raise in words. A host with colons is of IPv6."""
    if not 0 <= port < 2**16:
        raise ValueError(f"port must be between 0 and {2**16 - 1}; got {port}.")
    if not host:  # to a socket, any address of this machine
        raise ValueError("host must be an address or a name; got none.")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        raise ValueError(
            f"nothing can listen at {host}, port {port} ({getattr(error, 'strerror', error)}): "
            "choose another --port, or another --host of this machine."
        ) from None


def _first(query: dict[str, list[str]]) -> bytes:
    """Draw the view of an address."""
    from linssl.explore.figure import shared_panels
    from linssl.explore.model import solve
    from linssl.explore.state import from_query

    view, _ = from_query(query)
    return shared_panels().draw(view, solve(view))


def _warm_up() -> None:
    """Compile and lay out while the browser is still loading the page."""
    _first({})
