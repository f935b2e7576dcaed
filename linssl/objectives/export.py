"""Encoders as files that numpy alone reads."""

import os
from typing import Any

import numpy as np

from linssl.arguments import describe, is_concrete
from linssl.data.saving import write_whole
from linssl.objectives.solution import Solution

VERSION = 1


def save_encoder(solution: Solution, path: str | os.PathLike[str]) -> None:
    r"""Write an encoder, and what it came with, to one .npz, whole or not at all.

    $$ z = W(x - \mu), \qquad \hat y = Dz + \nu $$

    No linssl is needed to use it, and nothing is pickled:

        with np.load("encoder.npz") as file:
            codes = (x - file["mean"]) @ file["encoder"].T
            decoded = codes @ file["decoder"].T + file["second_mean"]

    | key | what it holds |
    |---|---|
    | `encoder` | $W$, (k, d) |
    | `mean` | $\mu$, (d,) |
    | `decoder` | $D$, (e, k), where the objective has one |
    | `second_encoder` | (k, e), where the other side has an encoder of its own |
    | `second_mean` | $\nu$, (e,), of what is decoded, or of the other side |
    | `spectrum`, `gap`, `loss`, `status` | as in `Solution` |
    | `regression` | where it is kept apart, as in `Solution` |
    | `kind`, `version` | the class of the solution, and 1 |

    Args:
        solution: concrete, of one problem.
        path: of the file, which is replaced.

    Raises:
        ValueError: no path, something else than a solution, a traced one, or a batch.
        OSError: a folder that isn't there, or can't be written to.

    Source: JEvRC, Theorems 1 and 2 (through the objectives).
    """
    require_one(solution)
    held = vars(solution).items()
    arrays: dict[str, Any] = {k: np.asarray(v) for k, v in held if hasattr(v, "dtype")}
    write_whole(path, arrays | {"kind": type(solution).__name__, "version": VERSION})


def require_one(solution: object) -> None:
    """Raise unless this is a concrete solution of one problem."""
    if not isinstance(solution, Solution):
        raise ValueError(f"solution must be a Solution; got {describe(solution)}.")
    if not is_concrete(solution):
        raise ValueError("solution must be concrete: export it outside of a trace.")
    if np.ndim(solution.encoder) != 2:
        shape = np.shape(solution.encoder)
        raise ValueError(f"solution must be of one problem; got encoders of shape {shape}.")
