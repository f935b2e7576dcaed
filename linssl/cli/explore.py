"""`linssl explore`: the model, or data of your own, in a browser, under sliders."""

import dataclasses
import functools
from typing import Annotated

import tyro


@dataclasses.dataclass(frozen=True)
class Explore:
    """Explore the model in a browser, or your data: sliders, spectra, scores, verdict.

    Serves a page on this machine until Ctrl-C. It works without a network, and the
    page's address holds the state of all sliders: send it, and the other side sees the same.
    With DATA, sliders are the augmentation, its strength, the number of codes, and how many
    rows are learnt from. Needs the extra: pip install 'linssl[explore]'.

    For example:
      linssl explore
      linssl explore --port 8000 --no-browser
      linssl explore digits
      linssl explore data.csv --labels species --group subject
      linssl explore cells.h5ad --layer obsm/X_pca --labels cell_type
    """

    data: Annotated[str | None, tyro.conf.Positional] = None
    """What to explore, as for `linssl diagnose`: digits, a name, a file or a folder;
    default: the model."""
    labels: str | None = None
    """A column of DATA, a file, or none; default: y or label in DATA, if any."""
    group: str | None = None
    """What rows belong together, such as a subject: a column of DATA, a file, or none."""
    layer: str | None = None
    """Which part of DATA holds the rows; of an .h5ad X, raw, a layer, or obsm/NAME."""
    numeric: bool = False
    """Whole-number labels are numbers to be predicted, not classes."""
    seed: int = 0
    """Of the folds of rows."""
    host: str = "127.0.0.1"
    """The address to listen at. Others than the default open the page to your network."""
    port: int = 2718
    """0 takes any that is free."""
    browser: bool = True
    """Open a browser."""


def explore(options: Explore) -> None:
    """Serve the explorer."""
    from linssl.explore.own.asked import Asked
    from linssl.explore.serve import of_data, of_model, serve

    o = options
    given = [f"--{name}" for name in ("labels", "group", "layer") if getattr(o, name)]
    if o.data is None and given:
        raise ValueError(f"{given[0]} is of data: linssl explore DATA {given[0]} ...; got no DATA.")
    pages = of_model
    if o.data is not None:
        asked = Asked(o.data, o.labels, o.group, o.layer, o.numeric, o.seed)
        pages = functools.partial(of_data, asked)
    serve(o.host, o.port, o.browser, pages)
