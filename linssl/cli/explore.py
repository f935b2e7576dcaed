"""`linssl explore`: the model in a browser, under sliders."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Explore:
    """Explore the model in a browser: sliders, phase diagram, spectra, verdict.

    Serves a page on this machine until Ctrl-C. It works without a network, and the
    page's address holds the state of all sliders: send it, and the other side sees the same.
    Needs the extra: pip install 'linssl[explore]'.

    For example:
      linssl explore
      linssl explore --port 8000 --no-browser
    """

    host: str = "127.0.0.1"
    """The address to listen at. Others than the default open the page to your network."""
    port: int = 2718
    """0 takes any that is free."""
    browser: bool = True
    """Open a browser."""


def explore(options: Explore) -> None:
    """Serve the explorer."""
    from linssl.explore.serve import serve

    serve(options.host, options.port, options.browser)
