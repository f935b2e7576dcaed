"""Build the site: `python -m tools.site.build`, or `make docs`. Offline; any warning is an error.

Pages in docs/ may hold marks, `<!-- make: NAME -->`, which stand for what is read from the code
(see `tools.site.marks`). The pages with marks filled in, those of the API and the tutorials, the
pictures of figures/reference and all that goes along are put in build/docs; zensical makes the site
from there.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.figures.gallery import REFERENCE, ROOT
from tools.site import api, marks
from tools.site.check import problems

ALONG = ("images", "javascripts", "stylesheets", "vendor")


def assemble(source: Path, target: Path) -> None:
    """Write every page, and what goes along, into the folder that the site is made of."""
    shutil.rmtree(target, ignore_errors=True)
    pages = {file.name: of_site(file.read_text()) for file in source.glob("*.md")}
    pages |= {f"tutorials/{name}.md": text for name, text in marks.tutorials(source).items()}
    pages |= {f"api/{name}.md": text for name, text in api.pages().items()}
    for name, text in pages.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(marks.fill(text, source))
    for name in ALONG:
        shutil.copytree(source / name, target / name)
    (target / "figures").mkdir()
    for picture in REFERENCE.glob("*.png"):
        shutil.copy(picture, target / "figures")


def of_site(text: str) -> str:
    """Link tutorials to their pages: in a checkout they are scripts."""
    return re.sub(r"\]\((tutorials/\w+)\.py\)", r"](\1.md)", text)


def build(root: Path) -> list[str]:
    """Make root/site from root/docs and root/mkdocs.yml; return what is wrong with it."""
    assemble(root / "docs", root / "build" / "docs")
    shutil.rmtree(root / "site", ignore_errors=True)
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    made = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if made.returncode:
        return [(made.stdout + made.stderr).split("Traceback")[0].strip()]
    return problems(root)


if __name__ == "__main__":
    found = build(ROOT)
    for problem in found:
        print(problem, file=sys.stderr)
    sys.exit(f"docs: {len(found)} problems" if found else None)
