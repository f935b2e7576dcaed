"""What the page is made of: sliders, presets, the picture, and what can be taken away."""

import base64
import csv
import dataclasses
import html
import io
from collections.abc import Callable
from itertools import groupby
from typing import Any

import marimo as mo
import numpy as np

from linssl.explore.explanations import verdict
from linssl.explore.model import MAGNITUDES, OBJECTIVES, SIZES, Numbers
from linssl.explore.plain_numbers import plain
from linssl.explore.presets import PRESETS
from linssl.explore.state import CONTROLS, View, nearest, to_query, with_spectra
from linssl.plotting import COLOURS, LABELS

TITLE = "linssl explorer"
ABOUT = (
    "Joint embedding (SimCLR, VICReg, DINO, JEPA) and reconstruction (autoencoders, MAE), solved "
    "exactly where data are signal and irrelevant noise: move anything, and see which of the two "
    "keeps the signal."
)


@dataclasses.dataclass
class Shown:
    """What a session shows now, for what is made when it is clicked."""

    view: Any
    numbers: Any = None


def sliders(view: View) -> Any:
    """Make a slider with a number field for each number of a view, at its value."""
    return mo.ui.dictionary(
        {
            name: mo.ui.slider(
                steps=control.steps,
                value=nearest(name, getattr(view, name)),
                label=with_tip(f"{control.label} {control.symbol}", control.about),
                include_input=True,
                full_width=True,
            )
            for name, control in CONTROLS.items()
        }
    )


def spectra(view: View) -> Any:
    """Make fields for spectra that are written or pasted."""
    about = (
        "Up to ten variances, pasted or typed. All are shown in units of the weakest signal; the "
        "sliders of a spectrum that is written here have no effect."
    )
    return mo.ui.dictionary(
        {
            name: mo.ui.text(
                value=" ".join(plain(v, 6).replace(",", "") for v in getattr(view, f"own_{name}")),
                placeholder=example,
                label=with_tip(f"{name} variances", about),
                full_width=True,
            )
            for name, example in (("signal", "such as 3 2 1"), ("noise", "such as 8 0.5"))
        }
    )


def read(sliders: dict[str, Any], own: dict[str, str]) -> tuple[View, list[str]]:
    """Return the view of the controls, and what there is to say of spectra that are written."""
    view = View(**sliders)
    try:
        return with_spectra(view, own["signal"], own["noise"]), []
    except ValueError as error:
        return view, [str(error)]


def with_tip(name: str, about: str) -> str:
    """Write a name over which an explanation comes up."""
    return f'<span data-tooltip="{html.escape(about)}">{name}</span>'


def clicked(selection: Any, shown: Shown, choose: Callable[[View], None]) -> None:
    """Move the point to the steps that are nearest to a click in the phase diagram."""
    if not hasattr(selection, "x_min"):  # nothing, or a lasso
        return
    noise = (selection.x_min * selection.x_max) ** 0.5
    alpha = (selection.y_min * selection.y_max) ** 0.5
    at = {"noise_variance": noise, "alpha": alpha}
    to: dict[str, Any] = {name: nearest(name, value) for name, value in at.items()}
    own = shown.view.own_noise
    if own:  # keeps its shape
        to["own_noise"] = tuple(v / own[0] * noise for v in own)
    choose(dataclasses.replace(shown.view, **to))


def presets(opened: View, choose: Callable[[View], None]) -> tuple[Any, Any]:
    """Make the menu of presets, and the button that goes back to the chosen one, or the link."""
    menu = mo.ui.dropdown(
        {name: preset.view for name, preset in PRESETS.items()},
        label="Preset",
        full_width=True,
        on_change=lambda view: None if view is None else choose(view),
    )
    return menu, mo.ui.button(label="Reset", on_click=lambda _: choose(menu.value or opened))


def controls(menu: Any, reset: Any, sliders: Any, own: Any) -> Any:
    """Lay out presets and sliders in the sidebar."""
    parts = [f'<div class="presets">{menu}{reset}</div>']
    for group, names in groupby(CONTROLS, lambda name: CONTROLS[name].group):
        rows = "".join(sliders[name].text for name in names)
        parts.append(f"<fieldset><legend>{group}</legend>{rows}</fieldset>")
    fields = "".join(field.text for field in own.values())
    parts.append(f"<fieldset><legend>Spectra of your own</legend>{fields}</fieldset>")
    return mo.sidebar(mo.Html(f'<div class="controls">{"".join(parts)}</div>'), width="23rem")


def show(png: bytes, phases: Any, view: View, numbers: Numbers, notes: list[str]) -> Any:
    """Show the verdict over the picture; notes on the address are quoted, never interpreted."""
    said = verdict(view, numbers)
    lines = "".join(
        f'<li><b style="color: {COLOURS[name]}">{LABELS[name]}</b> {html.escape(text)}</li>'
        for name, text in said.objectives.items()
    )
    about = [p.about for p in PRESETS.values() if p.view == view][:1]
    remarks = "".join(f"<li>{html.escape(text)}</li>" for text in [*said.remarks, *about])
    return mo.Html(
        f'<div class="view">{heading(TITLE, ABOUT)}{trouble(notes)}'
        f'<div class="verdict" role="status"><h2>{html.escape(said.headline)}</h2>'
        f"<ul>{lines}{remarks}</ul></div>"
        f'<div class="picture">{image(png, said.headline)}'
        f'<div class="clicks">{phases}</div></div></div>'
    )


def heading(title: str, about: str) -> str:
    """Say what the page is."""
    return f"<header><h1>{html.escape(title)}</h1> {html.escape(about)}</header>"


def trouble(notes: list[str]) -> str:
    """List what was changed of what was asked for, if anything."""
    if not notes:
        return ""
    warnings = "".join(f"<li>{html.escape(text)}</li>" for text in notes)
    return f'<div class="notes" role="alert">Not as asked for:<ul>{warnings}</ul></div>'


def image(png: bytes, alt: str) -> str:
    """Write a picture as it stands in a page."""
    source = base64.b64encode(png).decode()
    return f'<img class="panels" alt="{html.escape(alt)}" src="data:image/png;base64,{source}">'


def downloads(png: Callable[[], bytes], table: Callable[[], str]) -> Any:
    """Offer the figure that is shown, and its numbers."""
    figure = mo.download(png, "linssl.png", "image/png", label="Figure (PNG)")
    numbers = mo.download(lambda: table().encode(), "linssl.csv", "text/csv", label="Numbers (CSV)")
    return mo.hstack([figure, numbers], justify="start")


def program(code: str) -> Any:
    """Show lines of Python, with a button that copies them."""
    # With this class the page adds the button; colours would take longer than all the rest.
    lines = f'<div class="codehilite"><pre><code>{html.escape(code)}</code></pre></div>'
    return mo.Html(f"<details><summary>Copy as Python</summary>{lines}</details>")


def write_address(query: Any, view: View) -> None:
    """Make the page's address that of a view."""
    set_address(query, to_query(view))


def set_address(query: Any, wanted: dict[str, str]) -> None:
    """Make the page's query what is wanted."""
    for name in [name for name in query if name not in wanted]:
        query.remove(name)
    for name, text in wanted.items():
        if query.get(name) != text:
            query.set(name, text)


def as_csv(view: View, numbers: Numbers) -> str:
    """Write a view and all its numbers as one table: panel, objective, x, value, error."""
    rows: list[tuple[Any, ...]] = [
        ("view", "", name, value, "") for name, value in dataclasses.asdict(view).items()
    ]
    for i, name in enumerate(OBJECTIVES):
        kinds = np.where(numbers.is_signal[i], "signal", "noise")
        scores = zip(kinds, numbers.scores[i], strict=True)
        rows += [(f"score of {kind}", name, j + 1, y, "") for j, (kind, y) in enumerate(scores)]
        rows += [
            ("alpha squared above which the signal is kept", name, x, y, "")
            for x, y in zip(MAGNITUDES, numbers.boundary[i], strict=True)
        ]
        sizes = [*SIZES, view.n]
        losses = zip(sizes, numbers.distance[i], numbers.error[i], strict=True)
        rows += [("share lost from n pairs", name, *row) for row in losses]
        rows.append(("share lost from infinitely many pairs", name, "", numbers.limit[i], ""))
    rows += [("lifted by r", "adassl", j + 1, y, "") for j, y in enumerate(numbers.lifted)]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("panel", "objective", "x", "value", "standard_error"))
    writer.writerows(rows)
    return file.getvalue()
