"""What an entry of the catalogue is: a statement, where it is from, and a check to run."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np

ROUNDING = 1e-10  # of small, well-conditioned problems in double precision


@dataclass(frozen=True)
class Theorem:
    """A theorem, identity or threshold, with a witness that can be called.

    Tests that are witnesses too say so: `@pytest.mark.witness("name")`.

    Args:
        name: unique, words joined by hyphens.
        statement: one line, formulas in dollars.
        symbols: what its letters are.
        source: keys of the bibliography, or "derived".
        function: dotted public name of what computes it.
        check: takes a NumPy generator, draws a problem and returns the relative difference
            between the function and an independent computation.
        tolerance: the largest residual that passes, in double precision.
        reason: why the tolerance is what it is.
    """

    name: str
    statement: str
    symbols: str
    source: str
    function: str
    check: Callable[[np.random.Generator], object]
    tolerance: float = ROUNDING
    reason: str = "rounding"

    def residual(self, seed: int = 0, problems: int = 1) -> float:
        """Return the largest residual over random problems; NaN if any is.

        Every theorem draws the same problems from a seed, whichever others are checked. Computed
        in double precision, whatever the process is set to.

        Args:
            seed: of the problems.
            problems: how many.

        Raises:
            ValueError: a seed that is negative, or no problems.
        """
        if seed < 0:
            raise ValueError(f"seed must be >= 0; got {seed}.")
        if problems < 1:
            raise ValueError(f"problems must be >= 1; got {problems}.")
        with jax.enable_x64(True):
            draws = (np.random.default_rng([seed, i]) for i in range(problems))
            found = np.array([np.max(np.asarray(self.check(rng), float)) for rng in draws])
        return float(found.max())  # NaN wins over every number


class Room:
    """Theorems of one kind, in order: `@room.theorem(...)` above a check adds one.

    Args:
        title: of the kind.
        package: what the names of functions begin with: yours, for theorems of your own.
    """

    def __init__(self, title: str, package: str = "linssl"):
        self.title, self.package = title, package
        self.theorems: list[Theorem] = []

    def theorem(
        self,
        name: str,
        statement: str,
        symbols: str,
        source: str,
        function: str,
        *,
        tolerance: float = ROUNDING,
        reason: str = "rounding",
    ) -> Callable[[Callable], Callable]:
        """Return a decorator that enters the theorem which a function checks.

        Args:
            name: as in `Theorem`, like all but the following.
            statement: in one line.
            symbols: of the statement.
            source: of the statement.
            function: public name, without the package.
            tolerance: of the check.
            reason: of the tolerance.
        """

        def enter(check: Callable) -> Callable:
            self.theorems.append(
                Theorem(
                    name, statement, symbols, source, f"{self.package}.{function}", check,
                    tolerance, reason,
                )
            )  # fmt: skip
            return check

        return enter
