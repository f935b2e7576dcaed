"""The explorer's server: this machine only, unless a host is given."""

import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from linssl.explore.own.asked import Asked

HERE = Path(__file__).parent
MISSING = "the explorer needs marimo: pip install 'linssl[explore]'"


class Pages(NamedTuple):
    """What is served: a notebook, the first picture of an address, and what to do meanwhile."""

    notebook: Path
    first: Callable[[dict[str, list[str]]], bytes]
    meanwhile: Callable[[], None] | None = None


def serve(
    host: str = "127.0.0.1",
    port: int = 2718,
    browser: bool = True,
    pages: Callable[[], Pages] | None = None,
) -> None:
    """Serve the explorer until interrupted.

    Args:
        host: the address to listen at; the default is reached from this machine only.
        port: 0 takes any that is free.
        browser: whether to open one.
        pages: makes what is served; None is `of_model`.

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

    with listen(host, port) as listening:
        print("Getting ready, for some seconds...", file=sys.stderr, flush=True)
        notebook, first, meanwhile = of_model() if pages is None else pages()
        page = marimo.create_asgi_app(quiet=True).with_app(path="/", root=str(notebook)).build()
        app = guarded(with_first_picture(page, first), host)
        name = f"[{host}]" if ":" in host else host
        address = f"http://{name}:{listening.getsockname()[1]}"
        if meanwhile is not None:
            threading.Thread(target=meanwhile, daemon=True).start()
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


def of_model() -> Pages:
    """Return the pages of the model: compiled, and laid out, so that they open with a picture."""
    _first({})
    return Pages(HERE / "app.py", _first)


def _first(query: dict[str, list[str]]) -> bytes:
    """Draw the view of an address."""
    from linssl.explore.figure import shared_panels
    from linssl.explore.model import solve
    from linssl.explore.state import from_query

    view, _ = from_query(query)
    return shared_panels().draw(view, solve(view))


def of_data(asked: Asked) -> Pages:
    """Return the pages of data, opened.

    Raises:
        ValueError: data that can't be used, as for `diagnose`.
    """
    from linssl.explore.own import page
    from linssl.explore.own.data import prepare
    from linssl.explore.own.model import Explorer
    from linssl.explore.own.state import default, from_query

    explorer, panels = page.explore(Explorer(prepare(asked)))
    ready = explorer.ready

    def first(query: dict[str, list[str]]) -> bytes:
        view, _ = from_query(query, ready)
        return panels.draw(view, explorer.solve(view))

    view = default(ready)
    panels.draw(view, explorer.solve(view))
    return Pages(HERE / "own" / "app.py", first, lambda: explorer.warm_up(fewer=True))
