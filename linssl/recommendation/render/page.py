"""A recommendation as one page of HTML that needs nothing else."""

from collections.abc import Sequence
from html import escape

from linssl.diagnosis.phrases import KNOWN_AS, NAMES
from linssl.diagnosis.render.page import drawings, head, items
from linssl.plotting import COLOURS
from linssl.recommendation.facts import Facts
from linssl.recommendation.render.figures import figures
from linssl.recommendation.render.terminal import (
    curve_text,
    learning_lines,
    nuisance_lines,
    provenance,
    shaken_rows,
    table_head,
    table_rows,
)
from linssl.recommendation.words import headline

ALL_ROWS = 1000


def page(r: Facts) -> str:
    """Return the page."""
    colour = COLOURS.get(r.answer, COLOURS["supervised" if r.answer == "either" else "none"])
    drawn = drawings(figures(r))
    return (
        f"{head(f'linssl recommend: {headline(r)}')}<body>"
        f"<div class='verdict' style='--colour: {colour}'>"
        f"<h1>{escape(headline(r))}</h1><p>{escape(r.reason)}</p></div>"
        f"<h2>What to do next</h2>{items('ol', r.next_steps)}"
        f"{_ranked(r)}{drawn}"
        + _section("Nuisance", nuisance_lines(r))
        + _section("Samples", learning_lines(r))
        + f"<h2>What each augmentation calls irrelevant</h2>{_shaken(r)}"
        + _section("Notes", r.notes)
        + f"<footer>{escape(KNOWN_AS)} {escape(provenance(r))}</footer></body></html>\n"
    )


def _section(title: str, lines: tuple[str, ...]) -> str:
    return f"<h2>{title}</h2>{items('ul', lines)}" if lines else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(h)}</th>" for h in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{top}</tr>{body}</table>"


def _ranked(r: Facts) -> str:
    if not r.table:
        return ""
    curves = [(c.family, NAMES[c.paradigm], curve_text(c, r.metric)) for c in r.curves]
    return (
        f"<h2>Best of each paradigm and family</h2>{_table(table_head(r), table_rows(r, ALL_ROWS))}"
        f"<h2>Against strength</h2>{_table(('family', 'paradigm', 'strength: score'), curves)}"
        "<p class='quiet'>Of each strength the best number of codes; what stands in brackets is "
        "stronger than what is natural, and isn't ranked.</p>"
    )


def _shaken(r: Facts) -> str:
    head = ("augmentation", "shakes", "most of all", "joint embedding", "reconstruction")
    return _table(head, shaken_rows(r)) + (
        "<p class='quiet'>Of the variance of views, how much differs between views of one "
        "instance; the features of which it is most; and the leading scores, of reconstruction as "
        "shares of the first.</p>"
    )
