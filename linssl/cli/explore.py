"""`linssl explore`: the model, or data of your own, in a browser, under sliders."""

import dataclasses
import functools
from typing import Annotated, Literal

import tyro

from linssl.cli.data_options import DataOptions

MODEL = "model"


@dataclasses.dataclass(frozen=True)
class Explore(DataOptions):
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
      linssl explore patients.csv --labels outcome --impute median --standardise
      linssl explore cells.h5ad --layer obsm/X_pca --labels cell_type --nuisance phase
    """

    data: Annotated[str, tyro.conf.Positional] = MODEL
    """What to explore: as for `linssl diagnose` digits, a NAME, a file or a folder; or the
    model."""
    nuisance: str | None = None
    """A column of DATA or a file that says what is irrelevant, such as plate, donor or phase:
    noise along its means is one more augmentation."""
    kind: Literal["table", "embeddings", "images"] | None = None
    """What rows are, which says what augmentations fit; default: by their shape and names,
    which is noted."""
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

    pages = of_model
    if options.data == MODEL:
        _refuse_of_data(options)
    else:
        own = {"nuisance": options.nuisance, "kind": options.kind}
        pages = functools.partial(of_data, Asked(options.data, **own, **options.keywords()))
    serve(options.host, options.port, options.browser, pages)


def _refuse_of_data(options: Explore) -> None:
    """Raise where what is of data was given for the model."""
    of_data = {f.name for f in dataclasses.fields(DataOptions)} - {"data"} | {"nuisance", "kind"}
    for field in dataclasses.fields(options):
        if field.name in of_data and getattr(options, field.name) != field.default:
            name = f"--{field.name}"
            raise ValueError(f"{name} is of data: linssl explore DATA {name} ...; got no DATA.")
