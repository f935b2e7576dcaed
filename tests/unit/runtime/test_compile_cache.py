"""The folder of compiled programs: where it is, when there is none, and how large it grows."""

import os
import warnings
from pathlib import Path

import jax
import pytest

from linssl.runtime import compile_cache
from linssl.runtime.compile_cache import VARIABLE, keep_compiled


@pytest.fixture
def settings(monkeypatch):
    """What is set, and nothing of it here."""
    found = {}
    values = {"jax_compilation_cache_dir": None, "jax_enable_compilation_cache": True}
    config = type("config", (), {"values": values, "update": staticmethod(found.__setitem__)})
    monkeypatch.setattr(jax, "config", config)
    monkeypatch.setattr("warnings.showwarning", warnings.showwarning)  # put back
    monkeypatch.delenv(VARIABLE, raising=False)
    return found, values


def test_programs_are_kept_in_the_users_cache_by_machine(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    folder = keep_compiled()
    assert folder.parent == tmp_path / "linssl" / "programs"
    assert folder.name.startswith(jax.__version__)
    assert folder.is_dir()
    assert settings[0]["jax_compilation_cache_dir"] == str(folder)


@pytest.mark.parametrize("system", ["darwin", "win32", "linux"])
def test_every_system_has_a_folder(system, monkeypatch):
    monkeypatch.setattr("sys.platform", system)
    assert compile_cache._user_cache().is_absolute()


def test_the_variable_names_another_folder(settings, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine"))
    assert keep_compiled().is_relative_to(tmp_path / "mine")


@pytest.mark.parametrize("word", ["off", "0", "No"])
def test_it_can_be_turned_off(settings, word, monkeypatch):
    monkeypatch.setenv(VARIABLE, word)
    assert keep_compiled() is None
    assert not settings[0]


@pytest.mark.parametrize(
    "own", [{"jax_compilation_cache_dir": "mine"}, {"jax_enable_compilation_cache": False}]
)
def test_settings_of_jax_go_first(settings, own):
    settings[1].update(own)
    assert keep_compiled() is None
    assert not settings[0]


def test_a_folder_that_cannot_be_written_is_none(settings, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file"))
    assert keep_compiled() is None
    monkeypatch.setenv(VARIABLE, str(tmp_path / "other"))
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert keep_compiled() is None
    monkeypatch.delenv(VARIABLE)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", _homeless)
    assert keep_compiled() is None
    assert not settings[0]


def _homeless():
    raise RuntimeError("Could not determine home directory.")


def test_an_entry_that_cannot_be_read_is_forgotten_quietly(settings, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: shown.append(str(message))
        folder = keep_compiled()
        warnings.simplefilter("always")
        (folder / "torn").write_text("half")
        warnings.warn("Another matter", stacklevel=1)
        assert (folder / "torn").exists()
        warnings.warn(f"{compile_cache.UNREADABLE} entry for 'f': torn", stacklevel=1)
    assert not list(folder.iterdir())
    assert shown == ["Another matter"]


def test_what_was_not_used_for_longest_goes_where_there_is_too_much(tmp_path):
    for i in range(8):
        file = tmp_path / f"version{i % 2}" / f"{i}"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(bytes(100))
        os.utime(file, (i, i))
    compile_cache._make_room(tmp_path / "version1", largest=800)
    assert len(list(tmp_path.glob("*/*"))) == 8
    compile_cache._make_room(tmp_path / "version1", largest=600)
    assert sorted(path.name for path in tmp_path.glob("*/*")) == ["4", "5", "6", "7"]
