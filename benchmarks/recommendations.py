"""How often a recommendation is right: planted problems, whose truth is accuracy on fresh rows.

    python -m benchmarks.recommendations --problems 200 --out recommendations.json

A problem has a law that draws any number of rows. What is recommended from the first n is compared
with the best of all settings that were tried, each learnt from the same n rows and scored on 20 000
fresh ones; beside it two that always do the same: joint embedding with noise, and PCA.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from linssl.augmentations import Image
from linssl.data.targets import check_targets
from linssl.diagnosis.measure import PARADIGMS
from linssl.diagnosis.rows import DataRows
from linssl.diagnosis.spec import Setting
from linssl.diagnosis.units import find_units
from linssl.recommendation.coordinates import find_coordinates
from linssl.recommendation.evaluate import Grid, default_dims, encoder_of, evaluate, probe, solved
from linssl.recommendation.families import Family, families_for
from linssl.recommendation.parts import ALL, Folds
from linssl.recommendation.ranking import INDIFFERENT, rank

FRESH = 20_000
SIZES = (500, 1000, 2000, 4000)
CLASSES = (2, 3, 5, 10)
KINDS = ("table", "embeddings", "images")
Draw = Callable[[int, np.random.Generator], tuple[np.ndarray, np.ndarray, np.ndarray]]


class Problem(NamedTuple):
    """A law, and how many rows of it are given."""

    kind: str
    n: int
    classes: int
    nuisance: bool
    image: Image | None
    draw: Draw


def problem(seed: int) -> Problem:
    """Draw a problem: a kind of data, with a nuisance or without, of any difficulty."""
    rng = np.random.default_rng([17, seed])
    kind, nuisance = KINDS[seed % 3], bool(seed // 3 % 2)
    n, classes = int(rng.choice(SIZES)), int(rng.choice(CLASSES))
    if kind == "images":
        return Problem(kind, n, classes, nuisance, Image(8, 8), _images(rng, classes, nuisance))
    d = 20 if kind == "table" else 64
    return Problem(kind, n, classes, nuisance, None, _rows(rng, d, classes, nuisance, kind))


def _rows(rng: np.random.Generator, d: int, classes: int, nuisance: bool, kind: str) -> Draw:
    """Return a law of rows: class means, correlated noise, units, and levels of a nuisance."""
    spectrum = np.exp(
        rng.uniform(-1, 1) * np.linspace(0, 3, d) + rng.uniform(0, 1) * rng.normal(size=d)
    )
    mix = np.linalg.qr(rng.normal(size=(d, d)))[0] * np.sqrt(spectrum / spectrum.mean())
    size = np.exp(rng.uniform(np.log(0.5), np.log(4)))
    means = rng.normal(size=(classes, d)) * size / np.sqrt(2 * d) * 2
    levels = rng.normal(size=(8, d)) * np.exp(rng.uniform(np.log(0.2), np.log(2))) * nuisance
    units = np.exp(rng.normal(size=d) * rng.uniform(0, 1.5)) if kind == "table" else np.ones(d)
    skewed = (rng.random(d) < 0.3) & (kind == "table")

    def draw(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        y, u = rng.integers(0, classes, n), rng.integers(0, 8, n)
        X = rng.normal(size=(n, d)) @ mix.T + means[y] + levels[u]
        X = np.where(skewed, np.exp(0.7 * X), X)
        return X * units, y, u

    return draw


def _images(rng: np.random.Generator, classes: int, nuisance: bool) -> Draw:
    """Return a law of 8 x 8 images: smooth shapes that move, flip and fade, on levels of light."""
    smooth = np.exp(
        -np.square(np.arange(10)[:, None] - np.arange(10)) / 2 / rng.uniform(0.7, 2) ** 2
    )
    shapes = smooth @ rng.normal(size=(classes, 10, 10)) @ smooth
    shapes /= shapes.std((1, 2), keepdims=True)
    light = smooth[:8, :8] @ rng.normal(size=(8, 8, 8)) @ smooth[:8, :8]
    light *= nuisance * rng.uniform(0.3, 2) / light.std((1, 2), keepdims=True)
    moves, flips, fade = rng.integers(0, 2), rng.random() < 0.4, rng.uniform(0, 0.5)
    blur, noise = rng.uniform(0, 1.5), np.exp(rng.uniform(np.log(0.5), np.log(3)))
    grain = np.exp(-np.square(np.arange(8)[:, None] - np.arange(8)) / 2 / max(blur, 0.1) ** 2)
    grain /= np.linalg.norm(grain, axis=1, keepdims=True)

    def draw(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        y, u = rng.integers(0, classes, n), rng.integers(0, 8, n)
        at = 1 + rng.integers(-moves, moves + 1, (2, n))
        rows, columns = at[0][:, None] + np.arange(8), at[1][:, None] + np.arange(8)
        X = shapes[y[:, None, None], rows[:, :, None], columns[:, None, :]]
        X = np.where((flips & (rng.random(n) < 0.5))[:, None, None], X[:, :, ::-1], X)
        X = X * (1 + fade * rng.normal(size=(n, 1, 1))) + light[u]
        return X + noise * (grain @ rng.normal(size=(n, 8, 8)) @ grain.T), y, u

    return draw


class Solved(NamedTuple):
    """A problem's grid, and the truth of each of its settings."""

    grid: Grid
    truth: np.ndarray
    folds: Folds
    families: tuple[Family, ...]
    to: Setting
    given: tuple[np.ndarray, np.ndarray]
    fresh: tuple[np.ndarray, np.ndarray]


def solve(p: Problem, seed: int) -> Solved:
    """Score all settings by folds, and on fresh rows."""
    rng = np.random.default_rng([18, seed])
    X, y, u = p.draw(p.n, rng)
    fresh = p.draw(FRESH, rng)
    rows = DataRows(X)
    nuisance = check_targets(u, p.n) if p.nuisance else None
    folds = Folds(
        rows, find_coordinates(rows), check_targets(y, p.n), nuisance, find_units(X, None), 0
    )
    to = Setting(rows.features, folds.variance, p.image)
    families = families_for(p.kind, p.image, p.nuisance)  # pyright: ignore[reportArgumentType]
    dims = default_dims(folds)
    grid = evaluate(folds, to, families, dims)
    truth = _truth(folds, to, families, grid, fresh[0].reshape(FRESH, -1), fresh[1], dims)
    rest = (fresh[0].reshape(FRESH, -1), fresh[1])
    return Solved(grid, truth, folds, families, to, (X.reshape(p.n, -1), y), rest)


def _truth(
    folds: Folds,
    to: Setting,
    families: tuple[Family, ...],
    grid: Grid,
    X: np.ndarray,
    y: np.ndarray,
    dims: list[int],
) -> np.ndarray:
    """Return the accuracy on fresh rows of every setting, learnt from all that are given."""
    part, found = folds.part(ALL), {}
    for family in families:
        for strength in (*family.strengths, *family.shown):
            views = family.law(strength, to, folds.coordinates)(part)
            for noise in family.noise:
                encoded, _ = solved(views, noise * to.variance, dims[-1], folds.variance)
                if encoded is None:
                    continue
                for paradigm, W in zip(PARADIGMS, encoded.encoders, strict=True):
                    codes = X @ W.T
                    for k, q in zip(dims, probe(W, part, part.label, True, dims), strict=True):  # pyright: ignore[reportArgumentType]
                        right = np.argmax(q(codes[:, :k]), 1) == y
                        found[paradigm, family.name, strength, noise, k] = right.mean()
    return np.array([found.get(tuple(c[:5]), np.nan) for c in grid.choices])


def judge(p: Problem, s: Solved) -> dict[str, Any]:
    """Compare what is recommended with the best, and with two that always do the same."""
    ranking = rank(s.grid)
    ranked = np.array([c.ranked for c in s.grid.choices])
    best = int(np.nanargmax(np.where(ranked, s.truth, -1)))
    ours = float(s.truth[ranking.chosen])
    noise = [
        i
        for i, c in enumerate(s.grid.choices)
        if c.paradigm == "joint_embedding" and c.family == "noise" and c.strength == 0.1
    ]
    always = next((i for i in noise if s.grid.choices[i].dim == p.classes - 1), noise[0])
    pca = noise[int(np.argmax(s.grid.scores.value[noise]))]
    low, high = ranking.interval
    got, top = by_scikit_learn(s, ranking.chosen), by_scikit_learn(s, best)
    by = {
        q: max(s.truth[i] for i, c in enumerate(s.grid.choices) if c.paradigm == q and c.ranked)
        for q in PARADIGMS
    }
    return {
        "kind": p.kind, "n": p.n, "classes": p.classes, "nuisance": p.nuisance,
        "answer": ranking.answer, "recommended": s.grid.choices[ranking.chosen]._asdict(),
        "best": s.grid.choices[best]._asdict(), "truth": got, "top": top,
        "loss": top - got, "ours": ours,
        "interval": [low, high], "covered": bool(low <= got <= high), "value": ranking.value.value,
        "error": ranking.value.error, "by": by, "samples": ranking.samples,
        "difference": list(ranking.difference or ()),
        "always_loss": top - float(s.truth[always]), "pca_loss": top - float(s.truth[pca]),
        "chance": s.grid.scores.chance,
        "other_losses": [top - float(s.truth[i]) for i, _ in ranking.by_paradigm.values()],
    }  # fmt: skip


def by_scikit_learn(s: Solved, chosen: int) -> float:
    """Return the accuracy on fresh rows of a discriminant that scikit-learn fits to the codes."""
    choice = s.grid.choices[chosen]
    family = next(f for f in s.families if f.name == choice.family)
    law = family.law(choice.strength, s.to, s.folds.coordinates)
    W = encoder_of(s.folds.part(ALL), law, choice, s.to, s.folds.variance)
    probe = LinearDiscriminantAnalysis().fit(s.given[0] @ W.T, s.given[1])
    return float(probe.score(s.fresh[0] @ W.T, s.fresh[1]))


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Count."""
    decided = [f for f in found if f["answer"] != "undecided"]
    near = sum(f["loss"] <= INDIFFERENT for f in decided)
    return {
        "problems": len(found),
        "undecided": len(found) - len(decided),
        "within a point, decided": f"{near} of {len(decided)}",
        "within a point, all": sum(f["loss"] <= INDIFFERENT for f in found),
        "always joint embedding with noise": sum(f["always_loss"] <= INDIFFERENT for f in found),
        "PCA": sum(f["pca_loss"] <= INDIFFERENT for f in found),
        "covered": sum(f["covered"] for f in found),
        "answers": {a: sum(f["answer"] == a for f in found) for a in
                    ("joint_embedding", "reconstruction", "either", "undecided")},
    }  # fmt: skip


def main() -> None:
    """Run, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    found, begun = [], time.time()
    with jax.enable_x64(True):
        for seed in range(options.first, options.first + options.problems):
            p = problem(seed)
            found.append(judge(p, solve(p, seed)))
            if options.out is not None:
                options.out.write_text(json.dumps(found, indent=1))
            if seed % 10 == 9:
                print(seed + 1, f"{time.time() - begun:.0f} s", summary(found), flush=True)
    print(json.dumps(summary(found), indent=2))


if __name__ == "__main__":
    main()
