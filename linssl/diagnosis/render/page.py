"""A diagnosis as one page of HTML that needs nothing else."""

from html import escape

from linssl.diagnosis.facts import Facts
from linssl.diagnosis.feature_sentences import feature_lines
from linssl.diagnosis.phrases import (
    HEADLINES,
    KNOWN_AS,
    NAMES,
    alpha_in_words,
    headline,
    held_out_in_words,
    kept_in_words,
    margin_in_words,
    metric,
    share_in_full,
    verdict_in_words,
    with_error,
)
from linssl.diagnosis.render.figures import figures
from linssl.diagnosis.render.terminal import batch_rows, provenance
from linssl.diagnosis.rule import INDIFFERENT
from linssl.plotting import COLOURS

STYLE = """
body { font: 16px/1.5 Georgia, serif; color: #222; max-width: 52rem; margin: 2rem auto;
       padding: 0 1rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .4rem; }
.verdict { border-left: .5rem solid var(--colour); padding: .6rem 1rem; background: #f6f6f4; }
table { border-collapse: collapse; margin: .6rem 0; font-size: .95rem; }
th, td { text-align: left; padding: .25rem 1.2rem .25rem 0; border-bottom: 1px solid #ddd; }
td { font-variant-numeric: tabular-nums; }
.yes { color: #00734f; font-weight: bold; } .no { color: #b04a00; font-weight: bold; }
figure { margin: 1.2rem 0; } img { width: 100%; height: auto; }
figcaption, footer, .quiet { font-size: .87rem; color: #555; }
ol li, ul li { margin: .25rem 0; }
footer { border-top: 1px solid #ddd; margin-top: 2rem; padding-top: .6rem; }
"""
CODES = 8  # of each paradigm, that are named
ROW = "<tr><th>{}</th><td>{}</td><td>{}</td><td class='quiet'>{}</td></tr>"


def page(d: Facts) -> str:
    """Return the page."""
    colour = COLOURS.get(d.recommendation, {"either": COLOURS["supervised"]}.get(
        d.recommendation, COLOURS["none"]))  # fmt: skip
    drawn = drawings(figures(d))
    return (
        f"{head(f'linssl diagnose: {HEADLINES[d.recommendation]}')}<body>"
        f"<div class='verdict' style='--colour: {colour}'>"
        f"<h1>{escape(headline(d))}</h1><p>{escape(d.reason)}</p>"
        f"<p class='quiet'>{escape(KNOWN_AS)}</p></div>"
        f"<h2>What to do next</h2>{items('ol', d.next_steps)}"
        f"<h2>The two paradigms</h2>{_table(d)}"
        f"{_batches(d)}"
        f"<h2>What was found</h2>{drawn}{_features(d)}"
        + (f"<h2>Notes</h2>{items('ul', d.notes)}" if d.notes else "")
        + f"<h2>How this was decided</h2><p>{escape(_rule(d))}</p>"
        f"<footer>{escape(provenance(d))}</footer></body></html>\n"
    )


def head(title: str) -> str:
    """Return a page up to its body: all that it needs is in it."""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<link rel='icon' href='data:,'><title>{escape(title)}</title>"
        f"<style>{STYLE}</style></head>"
    )


def drawings(figures: list[tuple[str, str]]) -> str:
    """Return figures, each a caption and a PNG in base64."""
    return "".join(
        f"<figure><img alt='{escape(caption, True)}' src='data:image/png;base64,{png}'>"
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for caption, png in figures
    )


def items(kind: str, lines: tuple[str, ...]) -> str:
    """Return lines as a list, of kind ul or ol."""
    return f"<{kind}>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + f"</{kind}>"


def _table(d: Facts) -> str:
    both = [getattr(d, key) for key in NAMES]
    rows = []
    if d.ceiling is not None:
        rows.append(
            (f"held-out {metric(d)}", *(held_out_in_words(r) for r in both),
             f"of a linear probe on {d.dim} codes; the best on all features has "
             f"{with_error(d.held_out_ceiling or 0, d.held_out_ceiling_error)}, chance "
             f"{d.chance:.3f}"),
        )  # fmt: skip
    elif d.nuisance:
        meaning = "fewer is better; half a direction is too many"
        rows.append(("codes in the nuisance", *(kept_in_words(d, r) for r in both), meaning))
    if d.ceiling is not None or d.nuisance:
        rows += [
            ("margin", *(margin_in_words(r) for r in both),
             "above 0 the signal is kept; sure beyond two errors"),
            ("keeps the signal", *(verdict_in_words(r) for r in both), ""),
            ("alignment needed", *(alpha_in_words(r) for r in both),
             "noise along the nuisance, to be added to the views"),
        ]  # fmt: skip
    if d.ceiling is not None:
        meaning = f"share of the labels' variance that {d.dim} codes explain"
        meaning += f"; the best reach {d.ceiling:.3f}" if d.ceiling == d.ceiling else ""
        rows.append(("R² of the labels", *(kept_in_words(d, r) for r in both), meaning))
    gaps = (f"{r.gap:.2g} ± {r.gap_error:.1g}" for r in both)
    rows.append((f"gap after code {d.dim}", *gaps, "well above its error: the cut is sharp"))
    head = "".join(f"<th>{name}</th>" for name in NAMES.values())
    body = "".join(ROW.format(*map(escape, row)) for row in rows)
    for word in ("yes", "no"):
        body = body.replace(f"<td>{word}</td>", f"<td class='{word}'>{word}</td>")
    return f"<table><tr><th></th>{head}<th></th></tr>{body}</table>"


def _batches(d: Facts) -> str:
    if not d.batches:
        return ""
    told = "".join(f"<p>{escape(b.reason)}</p>" for b in d.batches)
    head = "".join(f"<th>{name}</th>" for name in NAMES.values())
    body = "".join(ROW.format(*map(escape, row), "") for row in batch_rows(d))
    return f"<h2>Batches</h2>{told}<table><tr><th></th>{head}<th></th></tr>{body}</table>"


def _features(d: Facts) -> str:
    lines = feature_lines(d, most=CODES)
    if not lines:
        return ""
    rows = "".join(f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in lines)
    return (
        f"<h2>Features by name</h2><table>{rows}</table><p class='quiet'>A feature is kept by the "
        "share of its variance that the codes tell, less what chance does. A code is named by the "
        "features it correlates with, a direction of the nuisance by its largest weights. What one "
        "keeps more of than the other differs by more than two standard errors.</p>"
    )


def _rule(d: Facts) -> str:
    whole = "" if d.groups is None else ", which split no group"
    error = (
        f" Standard errors (±) come from 16 folds of the data{whole}, or balanced halves of these; "
        "what is within two of them of the edge isn't sure. All of this is about linear models: it "
        "says what second moments allow, not how a deep network will fare."
    )
    if d.ceiling is not None:
        return (
            "What matters is what predicts the labels. Encoders, and a linear probe on their "
            f"{d.dim} codes, are learnt from three quarters of the data and scored on the rest, "
            f"four times, so that each sample is scored once. A paradigm is recommended if its "
            f"{metric(d)} surely isn't below the other's by more than {INDIFFERENT:g}; either, if "
            "both are. It keeps the signal if it has at least "
            f"{share_in_full(1 - d.tolerance)} of what the best linear probe on all features has "
            "above chance; where the better one surely hasn't, the answer is 'neither'." + error
        )
    return (
        "Without labels, what the augmentation shakes is declared irrelevant. If most directions "
        "are shaken alike, those shaken more are the nuisance, and a paradigm keeps the signal if "
        "less than half a direction of its codes lies there. If nothing stands out, the answer is "
        "'either' where both paradigms keep the same subspace, and 'undecided' where not." + error
    )
