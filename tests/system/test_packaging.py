"""What an installed linssl brings along: its version, its types, its command."""

import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import linssl

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_version_is_that_of_the_project():
    assert linssl.__version__ == version("linssl") == PROJECT["project"]["version"]


def test_types_are_declared():
    assert (Path(linssl.__file__).parent / "py.typed").exists()


def test_all_that_the_source_archive_names_is_there():
    names = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert {"linssl", "tests", "CHANGELOG.md", "CITATION.cff"} <= set(names)
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_python_m_linssl_is_the_command():
    command = [sys.executable, "-m", "linssl"]
    help = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert "linssl threshold --signal 3 2 --noise 5" in help.stdout
    shown = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == f"linssl {linssl.__version__}"
