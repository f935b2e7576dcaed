"""A second start of a command compiles nothing, and a spoilt folder costs a compilation alone."""

import os
import subprocess
import sys


def start(folder, name="LINSSL_COMPILE_CACHE"):
    own = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    command = [sys.executable, "-m", "linssl", "threshold", "--signal", "3", "--noise", "5"]
    return subprocess.Popen(command, env=own | {name: str(folder)}, stdout=-1, stderr=-1, text=True)


def result(process):
    out, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    return out


def test_programs_are_kept_and_what_is_spoilt_is_made_anew_by_two_at_once(tmp_path):
    first = result(start(tmp_path))
    made = {path: path.read_bytes() for path in tmp_path.rglob("*-cache")}
    assert made
    for i, (path, content) in enumerate(made.items()):
        path.write_bytes(content[: len(content) // 2] if i % 2 else b"")
    assert [result(p) for p in [start(tmp_path), start(tmp_path)]] == [first, first]
    assert result(start(tmp_path)) == first  # which makes whatever one of the two forgot
    sizes = {path: path.stat().st_size for path in tmp_path.rglob("*-cache")}
    assert sizes.keys() == made.keys()
    assert all(sizes[path] > len(content) / 2 for path, content in made.items())
