"""The house has floors: imports go down only, and no two files import each other in a circle."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "linssl"
# From the ground up; what stands on one line stands side by side, and imports nothing beside it.
FLOORS = (
    ("arguments", "runtime.optional", "runtime.progress", "linalg.structure", "linalg.status"),
    ("runtime", "linalg", "labels", "names"),
    ("moments", "plotting"),
    ("metrics", "data"),
    ("pairs",),
    ("augmentations",),
    ("populations",),
    ("theory",),
    ("objectives",),
    ("comparison",),
    ("sweep", "designs", "diagnosis", "estimators", "testing"),
    ("recommendation",),
    ("",),
    ("theorems",),
    ("explore",),
    ("cli",),
    ("__main__",),
)


def modules():
    """Every file by its dotted name below linssl; the contents page is ''."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(name):
    """What a file imports of the package, anywhere in it: in functions and for types, too."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{a.name}" for a in node.names}
            known = {i for i in inner if i.removeprefix("linssl.") in MODULES}
            found |= known | ({node.module} if inner - known else set())
    ours = {
        f.removeprefix("linssl").removeprefix(".") for f in found if f.split(".")[0] == "linssl"
    }
    return (ours & MODULES.keys()) - {name}


GRAPH = {name: imports(name) for name in MODULES}


def floor_of(name):
    """The floor of a file: that of the longest name that it lies in."""
    best = max(
        (len(room), i)
        for i, rooms in enumerate(FLOORS)
        for room in rooms
        if name == room or (room and name.startswith(room + "."))
    )
    return best[1]


def folder(name):
    """The room of a file, to its last folder."""
    return name if MODULES[name].name == "__init__.py" else name.rpartition(".")[0]


def assert_no_circle(graph):
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("a circle: " + " <- ".join(error.args[1]))


def test_no_two_files_import_each_other_in_a_circle():
    assert sum(map(len, GRAPH.values())) > 500
    assert_no_circle(GRAPH)


def test_no_two_folders_import_each_other_in_a_circle():
    graph = {}
    for name, others in GRAPH.items():
        graph.setdefault(folder(name), set()).update(map(folder, others))
    for inside, others in graph.items():
        # A contents page reads what is below it, and is no part of the folder's own work.
        others -= {o for o in others if o.startswith(inside)}
    assert_no_circle(graph)


def test_every_file_stands_on_a_floor_and_imports_go_down_only():
    for name, others in GRAPH.items():
        for other in others:
            room = name.split(".")[0] == other.split(".")[0]
            assert floor_of(other) < floor_of(name) or room, f"{name} imports {other}, upwards"
