"""What the page of data is made of."""

import csv
import html
import io
from typing import Any, NamedTuple

import marimo as mo

from linssl.diagnosis.measure import PARADIGMS
from linssl.explore.own.data import Ready
from linssl.explore.own.figure import DataPanels
from linssl.explore.own.model import Explorer, Numbers, score
from linssl.explore.own.state import ABOUT, View, middle
from linssl.explore.own.verdict import verdict
from linssl.explore.page import heading, image, trouble, with_tip
from linssl.plotting import COLOURS, LABELS

WHAT = (
    "Which paradigm, augmentation, strength and number of codes suit your data, and are rows "
    "enough? Solved in closed form, and scored on rows that nothing was learnt from."
)


class Current(NamedTuple):
    """What the process explores."""

    explorer: Explorer
    panels: DataPanels


_CURRENT: list[Current] = []


def explore(explorer: Explorer) -> Current:
    """Make data those that pages of this process show."""
    _CURRENT[:] = [Current(explorer, DataPanels(explorer.ready))]
    return _CURRENT[0]


def current() -> Current:
    """Return what pages show."""
    return _CURRENT[0]


def family(view: View, ready: Ready) -> Any:
    """Make the menu of augmentations."""
    label = with_tip("augmentation", ABOUT["family"])
    return mo.ui.dropdown(list(ready.families), value=view.family, label=label, full_width=True)


def strength(chosen: str, view: View, ready: Ready) -> Any:
    """Make the slider of an augmentation's strength."""
    value = view.strength if chosen == view.family else middle(ready, chosen)
    about = f"{ABOUT['strength']} {chosen}: {ready.families[chosen].meaning}."
    return _slider("strength", about, ready.steps(chosen), value)


def sizes(view: View, ready: Ready) -> tuple[Any, Any]:
    """Make the sliders of k and n."""
    return (
        _slider("number of codes k", ABOUT["dim"], ready.dims, view.dim),
        _slider("training rows n", ABOUT["n"], tuple(ready.parts), view.n),
    )


def _slider(name: str, about: str, steps: tuple[int | float, ...], value: int | float) -> Any:
    return mo.ui.slider(
        steps=list(steps),
        value=value,
        label=with_tip(name, about),
        include_input=True,
        full_width=True,
    )


def controls(*elements: Any) -> Any:
    """Lay out the controls in the sidebar."""
    rows = "".join(f"<div>{element}</div>" for element in elements)
    return mo.sidebar(mo.Html(f'<div class="controls own">{rows}</div>'), width="23rem")


def show(png: bytes, view: View, numbers: Numbers, ready: Ready, notes: list[str]) -> Any:
    """Show the verdict over the picture."""
    said = verdict(view, numbers, ready)
    lines = "".join(
        f'<li><b style="color: {COLOURS[name]}">{LABELS[name]}</b> {html.escape(text)}</li>'
        for name, text in said.paradigms.items()
    )
    remarks = "".join(f"<li>{html.escape(text)}</li>" for text in said.remarks)
    return mo.Html(
        f'<div class="view">{heading(f"linssl explorer: {name_of(ready)}", WHAT)}{trouble(notes)}'
        f'<div class="verdict" role="status"><h2>{html.escape(said.headline)}</h2>'
        f"<ul>{lines}{remarks}</ul></div>"
        f'<div class="picture">{image(png, said.headline)}</div></div>'
    )


def name_of(ready: Ready) -> str:
    """Name the data, with how many rows and features they have."""
    n, d = len(ready.folds.Z), len(ready.variance)
    name = f"{ready.asked.data}, " if isinstance(ready.asked.data, str) else ""
    return f"{name}{n:,} rows of {d:,} features"


def as_csv(view: View, numbers: Numbers, ready: Ready) -> str:
    """Write a view and its numbers as one table: panel, paradigm, x, value, error."""
    rows: list[tuple[Any, ...]] = [("view", "", k, v, "") for k, v in vars(view).items()]
    for p, name in enumerate(PARADIGMS):
        rows += [("score", name, j + 1, y, "") for j, y in enumerate(numbers.spectra[p])]
        if numbers.scores is not None:
            found = [score(numbers, p, at) for at in range(len(ready.dims))]
            rows += [("held out", name, k, *e) for k, e in zip(ready.dims, found, strict=True)]
    if numbers.scores is not None:
        rows.append(
            ("held out", "all features", "", *numbers.scores.of(len(numbers.scores.good) - 1))
        )
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("panel", "paradigm", "x", "value", "standard_error"))
    writer.writerows(rows)
    return file.getvalue()
