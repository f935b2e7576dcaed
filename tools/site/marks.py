"""What pages don't say themselves but read from the code, so that it can't go stale."""

import ast
import json
import re
from pathlib import Path

from tools.figures.gallery import REFERENCE, about, sections
from tools.site.api import ROOT, link_names
from tools.site.witnesses import witnesses


def fill(text: str, source: Path) -> str:
    """Replace every `<!-- make: NAME ARGUMENTS -->` by what the function NAME_mark returns."""

    def made(mark: re.Match) -> str:
        name, *arguments = mark[1].split()
        if name not in MARKS:
            raise ValueError(f"unknown mark {mark[0]}; there are {', '.join(MARKS)}.")
        return MARKS[name](source, *arguments)

    return re.sub(r"<!-- make: (.*?) -->", made, text)


def tutorials(source: Path) -> dict[str, str]:
    """Return a page for each tutorial: its first paragraphs, its code, and what it prints."""
    pages = {}
    for file in sorted((source / "tutorials").glob("*.py")):
        code = file.read_text()
        title, _, about = (ast.get_docstring(ast.parse(code)) or "").partition("\n")
        body = code.split('"""', 2)[2].strip()
        pages[file.stem] = (
            f"# {title.rstrip('.')}\n{about}\n\n"
            f"Run it with `python docs/tutorials/{file.name}`; the tests do.\n\n"
            f"```python\n{body}\n```\n\nIt prints\n\n"
            f"```text\n{file.with_suffix('.txt').read_text().rstrip()}\n```\n"
        )
    return pages


def _figure(_: Path, name: str) -> str:
    caption = json.loads((REFERENCE / f"{name}.json").read_text())["caption"]
    return (
        f'<figure markdown="span">\n![{about(name)}](figures/{name}.png)\n'
        f"<figcaption>{caption}</figcaption>\n</figure>"
    )


def _gallery(source: Path) -> str:
    parts = []
    for name, text in sections().items():
        _, rest = text.split("\n", 1)  # the picture has a caption here
        rest = re.sub(r"\[(`.*?`)\]\(\.\./.*?\)", r"\1", rest)  # sources are not in the site
        parts.append(f"## {name}\n\n{_figure(source, name)}\n{rest}\n")
    return "\n".join(parts)


def _status(_: Path) -> str:
    from linssl.linalg.status import ADVICE, FATAL

    parts = []
    for flag, advice in ADVICE.items():
        numbers = "encoder, spectrum and loss are NaN" if flag & FATAL else "the numbers are there"
        parts.append(
            f"### {flag.name}\n\nBit {flag.value}; {numbers}. {advice[0].upper()}{advice[1:]}\n"
        )
    return link_names("\n".join(parts), "api/")


def _references(_: Path) -> str:
    entries = re.findall(
        r"^@\w+\{(\w+),(.*?)^\}", (ROOT / "references.bib").read_text(), re.S | re.M
    )
    parts = []
    for key, body in sorted(entries):
        fields = {
            name.lower(): re.sub(r"\s+", " ", re.sub(r"[{}]", "", value))
            for name, value in re.findall(r"^\s*(\w+)\s*=\s*\{(.*?)\},?$", body, re.S | re.M)
        }
        where = fields.get("journal") or fields.get("booktitle") or ""
        number = fields.get("eprint") or fields.get("note", "").removeprefix("arXiv ")
        arxiv = f" [arXiv {number}](https://arxiv.org/abs/{number})." if number else ""
        authors = re.sub(r'\\"(\w)', lambda m: f"{m[1]}\u0308", fields["author"])
        authors = authors.replace(r"\'e", "é").replace(" and ", "; ")
        work = f"*{fields['title']}*. {where}, {fields['year']}."
        parts.append(f"## {key} {{ #{key} }}\n\n{authors}. {work}{arxiv}\n")
    return "\n".join(parts)


def _theorems(_: Path) -> str:
    from linssl.theorems import ROOMS

    parts, known = [], witnesses()
    for room in ROOMS:
        parts.append(f"## {room.title}\n")
        for t in room.theorems:
            found = known[t.name]
            tests = ", ".join(f"`{test}`" for _, test in found)
            files = ", ".join(f"`{file}`" for file in dict.fromkeys(file for file, _ in found))
            parts.append(
                f"### {t.name} {{ #{t.name} }}\n\n{t.statement}\n\nWhere: {t.symbols}.\n\n"
                f"*Source:* {t.source}. *Computed by* `{t.function.removeprefix('linssl.')}`. "
                f"*Checked* to {t.tolerance:g} ({t.reason}). *Tests,* in {files}: {tests}.\n"
            )
    return link_names("\n".join(parts), "api/")


def _number(_: Path) -> str:
    from linssl.theorems import CATALOGUE

    return str(len(CATALOGUE))


MARKS = {
    "figure": _figure,
    "gallery": _gallery,
    "number_of_theorems": _number,
    "references": _references,
    "status": _status,
    "theorems": _theorems,
}
