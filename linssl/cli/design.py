"""`linssl design`: the weakest augmentation that keeps what matters."""

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np
import tyro

if TYPE_CHECKING:
    from linssl.designs import Design, DesignFamily

LARGEST = 8  # features that are named in words
TINY = 1e-3  # noise that features which don't vary need, as a share of the mean variance


@dataclasses.dataclass(frozen=True)
class DesignCommand:
    """The weakest augmentation of a family under which codes keep what matters.

    What matters is what predicts the labels, or the signal of a spiked population. The
    gap is between the scores of what is kept and of what isn't; to be asked for, so that
    a finite sample finds it. Exits with 1 where no augmentation of the family will do, and
    says what is missing.

    For example:
      linssl design digits --dim 16 --tolerance 0.1
      linssl design cells.h5ad --labels cell_type --nuisance donor
      linssl design data.csv --labels species --family noise --json
      linssl design digits --family mixture --parts noise:0.01 shifts:1
      linssl design --signal 3 2 --noise 5 0.5 --gap 0.1
    """

    data: Annotated[str | None, tyro.conf.Positional] = None
    """digits, the NAME of a file $LINSSL_DATA/NAME.npz, or a file or folder as for diagnose."""
    labels: str | None = None
    """A column of DATA or a file; default: y or label in DATA."""
    layer: str | None = None
    """Which part of DATA holds the rows."""
    family: Literal["alignment", "noise", "dropout", "mixture"] = "alignment"
    """What may be designed: the strength of noise that is aligned with what is irrelevant,
    a variance for every feature, a probability for every feature, or weights of --parts."""
    nuisance: str | None = None
    """A column of DATA or a file that tells what is irrelevant, such as a plate, for
    alignment; default: all that the labels don't explain."""
    parts: tuple[str, ...] = ()
    """Augmentations in words, such as noise:0.01 shifts:1, for mixture."""
    image: str | None = None
    """Sides of an image as a row holds them, such as 28x28; default: as for diagnose."""
    signal: tuple[float, ...] = ()
    """In place of DATA: variances of the signal, which matters."""
    noise: tuple[float, ...] = ()
    """In place of DATA: variances of the irrelevant noise, which is aligned with."""
    base: float = 0.1
    """Variance of the noise that comes on every feature, over the mean one of a feature."""
    dim: int | None = None
    """Number of codes; default: classes less one, numeric targets, or signals."""
    paradigm: Literal["joint_embedding", "reconstruction"] = "joint_embedding"
    """Whose codes."""
    gap: float = 0.01
    """Least gap of scores, in (0, 1)."""
    tolerance: float = 0.05
    """Share of what the best codes keep that may be lost."""
    evaluations: int = 500
    """At most, of scores and their gradients."""
    json: bool = False
    """Print JSON instead of words."""


class _Problem(NamedTuple):
    """What is designed for: data or moments, what to keep, the family, and names of features."""

    data: Any
    keep: dict[str, Any]
    family: "DesignFamily"
    names: tuple[str, ...]
    variance: float  # of all features together


def design(options: DesignCommand) -> None:
    """Find, print, and exit with 1 where there is none."""
    import jax

    from linssl.designs import design as find
    from linssl.runtime.terminal import console

    if not 0 < options.base < np.inf:
        raise ValueError(f"base must be > 0 and finite; got {options.base:g}.")
    with jax.enable_x64(True):
        problem = _population(options) if options.data is None else _of_data(options)
        found = find(
            problem.data,
            problem.family,
            options.dim,
            paradigm=options.paradigm,
            gap=options.gap,
            tolerance=options.tolerance,
            evaluations=options.evaluations,
            **problem.keep,
        )
        chosen = _chosen(found, options, problem)
    if options.json:
        print(json.dumps(_record(found, options, problem, chosen), indent=2, allow_nan=False))
    else:
        console().print(_words(found, options, problem, chosen), markup=False, highlight=False)
    if not found.feasible:
        raise SystemExit(1)


def _population(options: DesignCommand) -> _Problem:
    """Return the spiked population of the spectra that were typed."""
    from linssl.designs import AlignmentFamily
    from linssl.pairs import same_instance_population
    from linssl.theory.spectra import spectra

    if not options.signal or not options.noise:
        raise ValueError("DATA must be given, or --signal and --noise; got neither.")
    if options.family != "alignment":
        raise ValueError(f"family must be alignment with --signal; got {options.family}.")
    spectra(options.signal, options.noise, 0.0, 0.0)  # refuses what are no variances
    signal, noise = np.array(options.signal), np.array(options.noise)
    C, k = np.concatenate([signal, noise]), len(signal)
    base = np.full(len(C), options.base * C.mean())
    irrelevant = np.concatenate([np.zeros(k), noise])
    names = [f"{kind} {i + 1}" for kind, all in (("signal", signal), ("noise", noise))
             for i in range(len(all))]  # fmt: skip
    keep = {"subspace": np.eye(k, len(C))}
    family = AlignmentFamily(base, irrelevant)
    return _Problem(same_instance_population(C), keep, family, tuple(names), float(C.sum()))


def _of_data(options: DesignCommand) -> _Problem:
    from linssl.cli.rows import read_rows

    if options.signal or options.noise:
        raise ValueError("signal and noise are in place of DATA; got both.")
    beside = () if options.nuisance is None else (options.nuisance,)
    rows = read_rows(str(options.data), options.labels, beside, options.layer, options.image)
    if rows.labels is None:
        raise ValueError(
            "labels must be given, a column of DATA or a file: they tell what is to be kept."
        )
    names = rows.names or tuple(f"feature {i}" for i in range(rows.X.shape[1]))
    family = _family(options, rows)
    return _Problem(rows.X, {"labels": rows.labels}, family, names, float(rows.X.var(0).sum()))


def _family(options: DesignCommand, rows: Any) -> "DesignFamily":
    """Return the family that was asked for, for data."""
    from linssl.designs import AlignmentFamily, DropoutFamily, MixtureFamily, NoiseFamily
    from linssl.diagnosis.spec import parse_augmentation

    for name, given in (("nuisance", options.nuisance is not None), ("parts", options.parts)):
        wanted = {"nuisance": "alignment", "parts": "mixture"}[name]
        if given and options.family != wanted:
            raise ValueError(f"{name} are for family {wanted}; got family {options.family}.")
    d, variance = rows.setting.features, rows.setting.variance
    base = options.base * variance
    if options.family == "noise":
        return NoiseFamily(np.full(d, TINY * base), 100 * variance)
    if options.family == "dropout":
        return DropoutFamily(d, noise=base)
    if options.family == "mixture":
        if len(options.parts) < 2:
            raise ValueError("parts must be two or more, such as --parts noise:0.01 shifts:1.")
        return MixtureFamily([parse_augmentation(part, rows.setting) for part in options.parts])
    Gamma = _explained(rows.X, *(rows.beside.values() or [rows.labels]))
    if not rows.beside:
        Gamma = np.cov(rows.X.T, bias=True) - Gamma
    values, vectors = np.linalg.eigh((Gamma + Gamma.T) / 2)
    Gamma = (vectors * np.maximum(values, 0)) @ vectors.T
    return AlignmentFamily(np.full(d, base), (Gamma + Gamma.T) / 2)


def _explained(X: np.ndarray, values: Any) -> np.ndarray:
    """Return the covariance that labels explain; for classes, that of their means."""
    from linssl.data.targets import check_targets

    Y = check_targets(values, len(X)).rows(np.arange(len(X)))
    Y, X = Y - Y.mean(0), X - X.mean(0)
    K = X.T @ Y / len(X)
    return K @ np.linalg.pinv(Y.T @ Y / len(X), hermitian=True) @ K.T


def _chosen(found: "Design", options: DesignCommand, problem: _Problem) -> dict[str, Any]:
    """Return the numbers that were designed, by what they are called."""
    a: Any = found.augmentation
    if options.family == "alignment":
        return {"alpha": float(a.alpha)}
    if options.family == "mixture":
        return {"weights": dict(zip(options.parts, a.probabilities.tolist(), strict=True))}
    if options.family == "noise":
        return {
            "variances": dict(zip(problem.names, np.asarray(a.covariance).tolist(), strict=True))
        }
    keep = np.broadcast_to(a.parts[0].keep, len(problem.names))
    return {"dropped": dict(zip(problem.names, (1 - keep).tolist(), strict=True))}


def _record(
    found: "Design", options: DesignCommand, problem: _Problem, chosen: dict[str, Any]
) -> dict[str, Any]:
    fields = ("feasible", "reason", "strength", "gap", "kept", "dim", "paradigm", "evaluations")
    record = {"family": options.family} | chosen | {name: getattr(found, name) for name in fields}
    record["strength_share"] = found.strength / problem.variance
    return record | {"status": found.status.name or "OK"}


def _words(
    found: "Design", options: DesignCommand, problem: _Problem, chosen: dict[str, Any]
) -> str:
    whose = found.paradigm.replace("_", " ")
    share = _percent(100 * found.strength / problem.variance)
    head = "The weakest" if found.feasible else "None found; the nearest"
    lines = [f"{head} of the family {options.family}, for {whose} with {found.dim} codes:"]
    lines += [f"  adds        {found.strength:.4g} of variance, {share} of that of the data"]
    for name, value in chosen.items():
        if not isinstance(value, dict):
            lines.append(f"  {name:10}  {value:.4g}")
            continue
        largest = sorted(value.items(), key=lambda pair: -pair[1])[:LARGEST]
        lines.append(f"  {name:10}  " + ", ".join(f"{at} {v:.3g}" for at, v in largest))
        if len(value) > LARGEST:
            lines[-1] += f"; the largest {LARGEST} of {len(value)}, --json prints all"
    return "\n".join([*lines, found.reason])


def _percent(share: float) -> str:
    return f"{share:,.0f} %" if share >= 100 else f"{share:.3g} %"
