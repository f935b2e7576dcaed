"""What the package promises as a whole: sources, contents page, no global side effects."""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import linssl

ROOT = Path(__file__).parents[2]
SOURCE = re.compile(r"Source: (?:derived|[A-Za-z]+(?:RC|\d{4}))")


ROOMS = (
    "augmentations", "data", "designs", "diagnosis", "linalg", "objectives", "pairs",
    "populations", "runtime", "sweep", "theory",
)  # fmt: skip


def public_objects():
    """Every public function, class and method defined in the package."""
    for module_info in pkgutil.walk_packages(linssl.__path__, "linssl."):
        module = importlib.import_module(module_info.name)
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
                continue
            if (
                not (inspect.isclass(value) or callable(value))
                or "_" in module.__name__.split(".")[1][:1]
            ):
                continue
            yield f"{module.__name__}.{name}", value
            if inspect.isclass(value):
                for member, function in vars(value).items():
                    function = getattr(function, "fget", function)
                    function = getattr(function, "__func__", function)
                    if member.startswith("_") or not inspect.isfunction(inspect.unwrap(function)):
                        continue
                    yield f"{module.__name__}.{name}.{member}", function


OBJECTS = {
    name: value
    for name, value in public_objects()
    if not name.startswith("linssl.cli.") or "main" in name  # docstrings there are help text
}


def states_a_formula(name, value):
    """A displayed equation anywhere, or any symbol in what the contents page or a room lists."""
    pages = (linssl, *(getattr(linssl, room) for room in ROOMS))
    listed = any(vars(page).get(name.split(".")[-1]) is value for page in pages)
    text = inspect.getdoc(value) or ""
    return "$$" in text or (listed and "$" in text)


FORMULAS = [name for name, value in OBJECTS.items() if states_a_formula(name, value)]


@pytest.mark.parametrize("name", FORMULAS)
def test_every_formula_has_a_source(name):
    assert SOURCE.search(inspect.getdoc(OBJECTS[name]) or ""), f"{name} names no source"


def test_every_cited_key_is_in_the_bibliography():
    keys = set(re.findall(r"@\w+\{(\w+),", (ROOT / "references.bib").read_text()))
    cited = {
        key
        for value in OBJECTS.values()
        for key in re.findall(
            r"\b(JEvRC|SimVAE|AdaSSL|SemPairs|[A-Z]\w+\d{4})\b", value.__doc__ or ""
        )
    }
    assert cited
    assert cited <= keys


def names_of(module):
    """Names that a module shows, without other modules."""
    return {n for n, v in vars(module).items() if n[0] != "_" and not inspect.ismodule(v)}


def test_the_contents_page_has_the_names_of_the_road_and_every_room():
    road = names_of(linssl)
    assert 30 < len(road) <= 40, sorted(road)
    for room in ROOMS:
        assert inspect.ismodule(getattr(linssl, room)), f"linssl.{room} is hidden or missing"
    for module in (linssl, *(getattr(linssl, room) for room in ROOMS)):
        for _, child, _ in pkgutil.iter_modules(module.__path__):
            value = getattr(module, child, None)
            package = Path(module.__path__[0], child).is_dir()
            assert not package or value is None or inspect.ismodule(value), f"{child} is hidden"


def test_a_name_of_the_road_is_that_of_its_room():
    shown = {n: vars(getattr(linssl, r))[n] for r in ROOMS for n in names_of(getattr(linssl, r))}
    for name in names_of(linssl) & shown.keys():
        assert getattr(linssl, name) is shown[name]


def test_importing_the_library_changes_no_global_configuration():
    code = (
        "import jax; before = dict(jax.config.values); import linssl, linssl.cli, linssl.plotting;"
        "assert before == dict(jax.config.values);"
        "import sys; assert not {'sklearn', 'linssl.estimators'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_no_private_interface_of_jax_is_used():
    for path in [*ROOT.glob("linssl/**/*.py"), *ROOT.glob("experiments/*.py")]:
        assert "jax._src" not in path.read_text()
        assert "jax.experimental" not in path.read_text()


MISTAKES = {
    "joint_embedding(X, 2)": "views must be Views; got ndarray of shape (5, 3). two_views(data, a)",
    "joint_embedding(pair, 1)": "joint_embedding needs Views, two views of one instance",
    "simvae(pair, 1, 2)": "simvae needs Views, two views of one instance under one augmentation",
    "reconstruction(X, 2)": "got ndarray of shape (5, 3). view_and_clean(data, a) makes one",
    "reconstruction(views, 1)": "pair must be a PairMoments; got Views, which are two views of one",
    "supervised(X)": "pair must be a PairMoments",
    "adassl(X, 2, 0.5)": "pair must be a PairMoments",
    "adassl(views, 2, 0.5)": "pair must be a PairMoments; got Views",
    "two_views(pair, a)": "x must be data (n, d) or Views; got PairMoments, whose sides differ",
    "two_views(X, 0.1)": "a must be an Augmentation; got float",
    "view_and_clean(pair, a)": "x must be data (n, d) or Views; got PairMoments",
    "view_and_clean(X, None)": "a must be an Augmentation; got NoneType",
    "augment(X, a)": "views must be Views; got ndarray of shape (5, 3)",
    "augment(pair, a)": "augment needs Views, two views of one instance under one augmentation",
    "augment(views, GaussianNoise)": "a must be an Augmentation; got GaussianNoise itself",
    "augment_sides(views, a, None)": "pair must be a PairMoments; got Views",
    "augment_sides(pair, 0.1, None)": "first must be an Augmentation or None; got float",
    "augment_sides(pair, None, GaussianNoise)": "second must be an Augmentation or None; got Gauss",
    "merge(views, pair)": "a and b must both be PairMoments or both Views; got Views and Pair",
    "merge(X, X)": "a and b must both be PairMoments or both Views; got ndarray of shape",
    "save_moments(X, 'moments.npz')": "moments must be PairMoments or Views; got ndarray of shape",
    "joint_embedding(two_views(X, a), [1])": "dim must be an int; got [1]",
    "joint_embedding(two_views(X, a), np.int64(9))": "dim must be between 1 and 3",
    "design(X, a, labels=[0, 1])": "family must be a DesignFamily, such as NoiseF",
    "design(X, DropoutFamily(3), paradigm='simclr')": "paradigm must be 'joint_embedding' or",
    "diagnose(np.eye(40), np.arange(40) % 2, numeric='no')": "numeric must be True or False; got",
    "Mixture([a, 3])": "parts must be augmentations; got int",
    "Sweep(3, {'a': [1]})": "cell must be a function; got 3",
    "Sweep(lambda key, *, a: {'x': a}, {'a': [1]}, 'many')": "seeds must be a number of seeds",
    "Sweep(lambda key, *, a: {'x': a}, {'a': [1]}, 2.5)": "seeds must be a number of seeds >= 1",
    "run_sweep(Sweep(lambda k, *, a: {'x': a}, {'a': [1]}), executor=3)": "executor must be an",
}


def test_common_mistakes_are_told_as_users_see_them():
    # In a process of its own: here, argument types are checked before the library sees them.
    code = f"""
import numpy as np
from linssl import *
from linssl.augmentations import *
from linssl.designs import *
from linssl.objectives import *
from linssl.sweep import *
X = np.eye(5, 3); a = GaussianNoise([1.0] * 3)
views, pair = same_instance(X), with_label(X, X)
for call, want in {MISTAKES!r}.items():
    try:
        eval(call)
    except ValueError as error:
        assert want in str(error), (call, str(error))
    else:
        raise AssertionError(call)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
