"""The labelled table of a sweep: flat columns of cells become an `xarray.Dataset`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from linssl.runtime.optional import require
from linssl.sweep.spec import Sweep

if TYPE_CHECKING:
    import xarray


class Frame(NamedTuple):
    """How flat cells become a table: it can be written as JSON, and needs no functions."""

    coordinates: dict[str, list]  # of each dimension, in the order of the table
    order: list[str]  # of the dimensions in the cells, the last fastest
    objectives: list[str]
    outputs: dict[str, dict[str, Any]]  # dims, shape and dtype of each
    units: dict[str, str]

    @classmethod
    def of(cls, sweep: Sweep) -> "Frame":
        """Describe the table of a sweep."""
        outputs = sweep.outputs
        unknown = [name for name in sweep.units if name not in {*sweep.values, *outputs}]
        if unknown:
            raise ValueError(
                f"units must be of axes or outputs, {', '.join([*sweep.values, *outputs])}; got "
                f"{', '.join(unknown)}."
            )
        return cls(
            {name: values.tolist() for name, values in sweep.values.items()},
            list(sweep.order),
            next((list(o.objectives) for o in outputs.values() if o.objectives is not None), []),
            {
                name: {"dims": list(o.dims(name)), "shape": list(o.shape), "dtype": str(o.dtype)}
                for name, o in outputs.items()
            },
            dict(sweep.units),
        )

    @property
    def cells(self) -> int:
        """How many there are."""
        return int(np.prod([len(v) for v in self.coordinates.values()], dtype=np.int64))

    def blank(self) -> dict[str, np.ndarray]:
        """Make room for every output of every cell."""
        return {
            name: np.zeros((self.cells, *o["shape"]), o["dtype"])
            for name, o in self.outputs.items()
        }

    def columns(self) -> dict[str, np.ndarray]:
        """The value of every dimension in every cell, (cells,) each."""
        index = np.unravel_index(
            np.arange(self.cells), [len(self.coordinates[n]) for n in self.order]
        )
        return {
            n: np.asarray(self.coordinates[n])[i] for n, i in zip(self.order, index, strict=True)
        }

    def dataset(
        self,
        arrays: Mapping[str, np.ndarray],
        attributes: Mapping[str, Any],
        finished: np.ndarray | None = None,
        masked: bool = True,
    ) -> "xarray.Dataset":
        """Build the table from (cells, ...) arrays.

        Cells that aren't finished become NaN (if `masked`), and
        a variable `finished` tells them from results that are NaN.
        """
        xarray = require("xarray")
        sizes, table_order = [len(self.coordinates[n]) for n in self.order], [*self.coordinates]
        variables = {}
        for name, array in arrays.items():
            inner = self.outputs[name]["dims"]
            dims = [*self.order, *inner]
            variable = xarray.Variable(
                dims, array.reshape(*sizes, *array.shape[1:]), self._attributes(name)
            )
            if masked and finished is not None and not finished.all():
                mask = xarray.Variable(self.order, finished.reshape(sizes))
                variable = variable.where(mask)
            variables[name] = variable.transpose(*table_order, *inner)
        if finished is not None and not finished.all():
            mask = xarray.Variable(self.order, finished.reshape(sizes))
            variables["finished"] = mask.transpose(*table_order)
        coordinates = {
            name: xarray.Variable((name,), np.asarray(values), self._attributes(name))
            for name, values in self.coordinates.items()
        }
        if self.objectives:
            coordinates["objective"] = xarray.Variable(("objective",), np.asarray(self.objectives))
        return xarray.Dataset(variables, coordinates, dict(attributes))

    def _attributes(self, name: str) -> dict[str, str]:
        return {"units": self.units[name]} if name in self.units else {}
