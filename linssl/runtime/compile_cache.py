"""Programs kept between starts of a command, so that a second start compiles nothing."""

import hashlib
import os
import platform
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

OFF = ("0", "off", "no", "none", "false")
UNREADABLE = "Error reading persistent compilation cache"
VARIABLE = "LINSSL_COMPILE_CACHE"
LARGEST = 256 * 2**20  # bytes, of which the oldest go first
PARTLY = 0.75  # of the largest, that is left when the oldest went


def keep_compiled() -> Path | None:
    """Keep compiled programs in the user's cache folder, for the rest of this process.

    For commands: a library leaves jax's configuration to whoever imports it. `LINSSL_COMPILE_CACHE`
    names another folder, or is `off`; JAX's own settings of its cache go first. A folder that
    can't be written is none; what can't be read is compiled anew, and written over; and two
    processes at once write the same programs.

    Returns:
        The folder, or None.
    """
    import jax

    wanted, set_to = os.environ.get(VARIABLE, "").strip(), jax.config.values
    own = set_to["jax_compilation_cache_dir"] or not set_to["jax_enable_compilation_cache"]
    if wanted.lower() in OFF or own:
        return None
    try:
        folder = _folder(Path(wanted) if wanted else _user_cache() / "linssl")
        _make_room(folder)
    except (OSError, RuntimeError):  # as where there is no home
        return None
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    _forgive(folder)
    return folder


def _forgive(folder: Path) -> None:
    """Compile anew what can't be read, without a word, and forget what is there.

    JAX says which program that was but not which file, and never writes over one.
    """
    show = warnings.showwarning

    def quietly(message: Warning | str, *rest: Any, **named: Any) -> None:
        if not str(message).startswith(UNREADABLE):
            return show(message, *rest, **named)
        for path in folder.iterdir():
            with suppress(OSError):
                path.unlink()
        return None

    warnings.filterwarnings("always", UNREADABLE)
    warnings.filterwarnings("ignore", "Error writing persistent compilation cache")  # a full disk
    warnings.showwarning = quietly


def _folder(root: Path) -> Path:
    """Return the folder of programs that this machine can run, made and tried."""
    import jax

    cpu = _cpu()
    made_for = f"{jax.__version__}-{platform.machine()}-{hashlib.sha256(cpu).hexdigest()[:12]}"
    folder = root / "programs" / made_for
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(folder)
    return folder


def _cpu() -> bytes:
    """Return what tells of the instructions of this processor: homes are shared by machines."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_bytes().splitlines():
            if line.startswith((b"flags", b"Features")):
                return line
    return platform.processor().encode()


def _user_cache() -> Path:
    """Return where the system wants caches."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _make_room(folder: Path, largest: int = LARGEST) -> None:
    """Delete the files that weren't used for longest, of all versions, where there are too many."""
    files = []
    for path in folder.parent.glob("*/*"):
        with suppress(OSError):  # another process may just have deleted it
            stat = path.stat()
            files.append((max(stat.st_atime, stat.st_mtime), stat.st_size, path))
    left = sum(size for _, size, _ in files)
    if left <= largest:
        return
    for _, size, path in sorted(files):
        if left <= PARTLY * largest:
            return
        with suppress(OSError):
            path.unlink()
        left -= size
