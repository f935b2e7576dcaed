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
    """A displayed equation anywhere, or any symbol in what the contents page lists."""
    text, listed = inspect.getdoc(value) or "", vars(linssl).get(name.split(".")[-1]) is value
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


def test_the_contents_page_exports_every_subpackage_name():
    for package in (
        "augment",
        "data",
        "design",
        "objectives",
        "pairing",
        "sweep",
        "theory",
        "metrics",
    ):
        module = importlib.import_module(f"linssl.{package}")
        for name, value in vars(module).items():
            defined_here = str(getattr(value, "__module__", "")).startswith(f"linssl.{package}")
            if not name.startswith("_") and defined_here:
                if package == "objectives" and name in ("cut_status",):
                    continue
                assert getattr(linssl, name, None) is value, f"linssl.{name} is missing"


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
    "joint_embedding(X, 2)": "pair must be a PairMoments; got ndarray of shape (5, 3)",
    "reconstruction(X, 2)": "same_instance(data) makes one",
    "supervised(X)": "pair must be a PairMoments",
    "adassl(X, 2, 0.5)": "pair must be a PairMoments",
    "augment(X, a, a)": "pair must be a PairMoments",
    "augment(pair, 0.1, None)": "first must be an Augmentation or None; got float",
    "augment(pair, None, GaussianNoise)": "got GaussianNoise itself",
    "joint_embedding(augment(pair, a, a), [1])": "dim must be an int; got [1]",
    "joint_embedding(augment(pair, a, a), np.int64(9))": "dim must be between 1 and 3",
    "design(X, a, labels=[0, 1])": "family must be a DesignFamily, such as NoiseF",
    "design(X, DropoutFamily(3), paradigm='simclr')": "paradigm must be 'joint_embedding' or",
    "Mixture([a, 3])": "parts must be augmentations; got int",
    "Sweep(3, {'a': [1]})": "cell must be a function; got 3",
    "Sweep(lambda key, *, a: {'x': a}, {'a': [1]}, 'many')": "seeds must be a number of seeds",
    "Sweep(lambda key, *, a: {'x': a}, {'a': [1]}, 2.5)": "seeds must be a number of seeds >= 1",
    "Sweep(lambda key, *, a: {'x': a}, {'a': [1]}).run(executor=3)": "executor must be an Exec",
}


def test_common_mistakes_are_told_as_users_see_them():
    # In a process of its own: here, argument types are checked before the library sees them.
    code = f"""
import numpy as np
from linssl import *
X = np.eye(5, 3); a = GaussianNoise([1.0] * 3); pair = same_instance(X)
for call, want in {MISTAKES!r}.items():
    try:
        eval(call)
    except ValueError as error:
        assert want in str(error), (call, str(error))
    else:
        raise AssertionError(call)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
