"""Every example in the README runs and prints what it says."""

import re
import shlex
from pathlib import Path

from linssl.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def test_first_example_runs():
    namespace = {}
    exec(compile(blocks("python")[0], "README.md", "exec"), namespace)
    assert namespace["codes"].shape == (len(namespace["data"]), 8)
    assert int(namespace["je"].status) == 0


def test_sweep_example_runs(capsys):
    namespace = {}
    exec(compile(blocks("python")[1], "README.md", "exec"), namespace)
    assert namespace["table"]["distance"].sizes["seed"] == 5
    assert (namespace["table"]["status"] == 0).all()
    assert capsys.readouterr().out.startswith("[[")


def test_sweep_commands_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    commands = next(b for b in blocks("sh") if "sweep" in b).splitlines()
    assert len(commands) == 3
    for command in commands:
        words = shlex.split(command, comments=True)[1:]
        if "run" in words:  # the same file, in small
            words[2] = str(ROOT / words[2])
            words += ["--axis", "alpha=0.1,1", "noise_variance=0.1,10", "--seeds", "2"]
            words += ["--constant", "signal_directions=2", "noise_directions=2"]
        main(words)
    assert "8 of 8 cells" in capsys.readouterr().out
    assert (tmp_path / "phase_map.parquet").exists()


def test_the_example_has_five_lines_after_its_data_and_noise_and_centres_nothing():
    code = [line for line in blocks("python")[0].splitlines() if line.strip()]
    assert (
        len([line for line in code if not line.startswith(("import ", "data = ", "noise = "))]) == 5
    )
    assert not any("mean" in line or "centre(" in line for line in code)


def test_threshold_command_prints_what_the_readme_says(capsys):
    command = next(b for b in blocks("sh") if "threshold" in b)
    main(shlex.split(command)[1:])
    assert capsys.readouterr().out in blocks("text")


def test_your_data_get_the_answers_that_the_readme_shows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    made, *commands = "".join(blocks("sh")[:2]).splitlines()
    exec(shlex.split(made)[2], {})
    for command, shown in zip(commands, blocks("text"), strict=False):
        main(shlex.split(command)[1:])
        printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
        *said, rest = shown.splitlines()
        assert rest == "..."
        assert printed[: len(said)] == said


def test_every_make_target_named_exists():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"make ([a-z-]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_every_linked_file_exists():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
