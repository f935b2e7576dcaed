"""What a recommendation is about: rows and what tells of them, checked."""

from typing import NamedTuple

from linssl.augmentations import Image
from linssl.data.targets import Targets, check_targets
from linssl.diagnosis.inputs import Instances
from linssl.diagnosis.opened import Opened
from linssl.diagnosis.rows import DataRows
from linssl.diagnosis.units import Units, find_units
from linssl.recommendation.families import Kind
from linssl.recommendation.kinds import find_kind

NUISANCE = "nuisance"


class Task(NamedTuple):
    """Data and what tells of them, checked."""

    rows: DataRows
    instances: Instances
    labels: Targets | None
    nuisance: Targets | None
    nuisance_name: str
    units: Units
    kind: Kind
    names: tuple[str, ...] | None
    notes: tuple[str, ...]

    @property
    def image(self) -> Image | None:
        """The shape of a row, where rows are images."""
        return self.instances.image if self.kind == "images" else None


def task_of(
    opened: Opened, instances: Instances, kind: object, numeric: bool, name: str = NUISANCE
) -> Task:
    """Check what tells of rows, and find the kind that they are.

    Args:
        opened: rows, and what tells of them.
        instances: the same, as images if they are.
        kind: that was asked for; None finds it, and notes it.
        numeric: whether whole-number labels are numbers to be predicted.
        name: of the nuisance.

    Raises:
        ValueError: labels, groups, a nuisance or a kind that don't fit.
    """
    n = len(opened.rows)
    labels = None if opened.labels is None else check_targets(opened.labels, n, bool(numeric))
    nuisance = None
    if opened.nuisance is not None:
        try:
            nuisance = check_targets(opened.nuisance, n)
        except ValueError as error:
            raise ValueError(str(error).replace("labels", NUISANCE)) from None
    found = find_kind(kind, opened, instances)
    units = find_units(opened.rows, opened.groups)
    notes = (*opened.notes, *([found.note] if found.note else []))
    rows = DataRows(instances.X)
    return Task(rows, instances, labels, nuisance, name, units, found.kind, opened.names, notes)
