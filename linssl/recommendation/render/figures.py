"""The figures of a recommendation, as PNG in base64."""

import numpy as np
from matplotlib.figure import Figure

from linssl.diagnosis.estimates import SURE
from linssl.diagnosis.phrases import NAMES
from linssl.diagnosis.render.figures import encoded
from linssl.plotting import COLOURS, LABELS, house_style, new_figure
from linssl.recommendation.facts import Facts

ACROSS = 4  # panels


def figures(r: Facts) -> list[tuple[str, str]]:
    """Draw what there is to draw: (caption, PNG in base64)."""
    with house_style():
        drawn = [_curves(r)] if r.curves else [_spectra(r)]
        return [(caption, encoded(figure)) for caption, figure in drawn]


def _panels(count: int) -> tuple[Figure, list]:
    down = -(-count // ACROSS)
    figure, axes = new_figure(down, min(count, ACROSS), height=1.5 * down + 0.3, caption="")
    flat = list(np.ravel(axes))
    for ax in flat[count:]:
        ax.set_axis_off()
    return figure, flat[:count]


def _curves(r: Facts) -> tuple[str, Figure]:
    families = list(dict.fromkeys(c.family for c in r.curves))
    figure, panels = _panels(len(families))
    values = [v for c in r.curves for v in c.values]
    low = min(values) - 0.1 * (max(values) - min(values)) - 0.01
    for ax, family in zip(panels, families, strict=True):
        for c in (c for c in r.curves if c.family == family):
            at = np.arange(len(c.strengths))
            mark = "o-" if c.paradigm == "joint_embedding" else "s--"
            ax.errorbar(
                at, c.values, SURE * np.array(c.errors), fmt=mark, color=COLOURS[c.paradigm],
                capsize=1.5, elinewidth=0.8, label=LABELS[c.paradigm], markersize=3,
            )  # fmt: skip
            ax.set_xticks(at, [f"{s:g}" for s in c.strengths])
            beyond = [i for i, ok in enumerate(c.ranked) if not ok]
            if beyond:
                ax.axvspan(beyond[0] - 0.5, beyond[-1] + 0.3, color="#888888", alpha=0.15, lw=0)
        if r.all_features is not None:
            ax.axhline(r.all_features, color="k", lw=0.7, ls=":")
        ax.set(title=family, ylim=(low, None))
    panels[0].set_ylabel("accuracy" if r.metric == "accuracy" else "R²")
    panels[0].legend(loc="best", fontsize=5)
    caption = (
        "What each family scores against its strength, on rows unseen; of each strength the best "
        "number of codes. Bars are two standard errors; dotted: all features. Shaded: stronger "
        "than what is natural, and not ranked."
    )
    return caption, figure


def _spectra(r: Facts) -> tuple[str, Figure]:
    figure, panels = _panels(len(r.shaken))
    for ax, s in zip(panels, r.shaken, strict=True):
        for name in NAMES:
            scores = getattr(s, name)
            ax.plot(np.arange(1, len(scores) + 1), scores, "o-", color=COLOURS[name], markersize=2,
                    label=LABELS[name])  # fmt: skip
        ax.set(title=s.augmentation, ylim=(0, 1.05))
    panels[0].legend(loc="best", fontsize=5)
    caption = (
        "The leading scores of both paradigms under each augmentation: of joint embedding how much "
        "of a code two views share, of reconstruction how much it tells, as shares of the first."
    )
    return caption, figure
