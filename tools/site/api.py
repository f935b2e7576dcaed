"""Pages of the API, from the docstrings and signatures of every public name."""

import ast
import enum
import functools
import importlib
import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

import linssl

ROOT = Path(__file__).parents[2]
# A page, its title, and the rooms of linssl whose names are on it, in the order of the road.
PAGES = {
    "data": ("Data and populations", ("data", "populations")),
    "pairs": ("Pairs", ("pairs",)),
    "augmentations": ("Augmentations", ("augmentations",)),
    "moments": ("Moments", ("moments", "linalg")),
    "objectives": ("Objectives and solutions", ("objectives",)),
    "metrics": ("Metrics", ("metrics",)),
    "comparison": ("Comparing and diagnosing", ("comparison", "diagnosis", "recommendation")),
    "designs": ("Designing augmentations", ("designs",)),
    "theory": ("Theory", ("theory", "theorems")),
    "sweep": ("Sweeps", ("sweep", "sweep.cells", "runtime", "runtime.cluster")),
    "estimators": ("scikit-learn estimators", ("estimators",)),
    "testing": ("Testing", ("testing",)),
}
SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Warns)(,[^:\n]*)?:$", re.M)
WIDTH = 88


@functools.cache
def names() -> dict[str, tuple[str, object]]:
    """Return the page and the object of every public name, as it is reached from `linssl`."""
    found, road = {}, vars(linssl)
    for page, (_, rooms) in PAGES.items():
        for room in rooms:
            module = importlib.import_module(f"linssl.{room}")
            for name in getattr(module, "__all__", vars(module)):
                value = getattr(module, name)
                if name.startswith("_") or inspect.ismodule(value) or not _belongs(value, room):
                    continue
                on_road = road.get(name) is value
                found[name if on_road else f"{room}.{name}"] = page, value
    return found


@functools.cache
def entries() -> frozenset[type]:
    """Return the classes that have an entry."""
    return frozenset(value for _, value in names().values() if isinstance(value, type))


def _belongs(value: object, room: str) -> bool:
    """Say whether a room is where a name is from; a constant is where it stands."""
    home = getattr(value, "__module__", None)
    if home is None:
        return isinstance(value, dict)
    return home.startswith(f"linssl.{room}") and callable(value)


def pages() -> dict[str, str]:
    """Return the text of every page of the API."""
    known, texts = names(), {}
    for page, (title, _) in PAGES.items():
        here = [(name, value) for name, (at, value) in known.items() if at == page]
        # What `linssl` itself shows first, and functions before classes.
        here.sort(key=lambda pair: ("." in pair[0], inspect.isclass(pair[1])))
        texts[page] = f"# {title}\n\n" + "\n".join(entry(name, value) for name, value in here)
    rows = [
        f"| {title} | " + ", ".join(f"`{n}`" for n, (at, _) in known.items() if at == page) + " |"
        for page, (title, _) in PAGES.items()
    ]
    texts["index"] = (
        "# API\n\nEvery name here is `linssl.NAME`, with its room where it has one. Entries are "
        "the docstrings: the equation, what its letters stand for, shapes, conventions, what is "
        "refused, and the source. The names of the road have an example, which goes on from\n\n"
        f"```python\n{examples()['']}\n```\n\nin double precision. What a line prints stands "
        "beside it.\n\n| page | names |\n|---|---|\n" + "\n".join(rows) + "\n"
    )
    return {p: link_names(re.sub(r"\n{3,}", "\n\n", text)) for p, text in texts.items()}


@functools.cache
def examples() -> dict[str, str]:
    """Return the code of each name that has an example, and "" for what all of them go on from."""
    _, *sections = (ROOT / "tools" / "site" / "examples.py").read_text().split("\n# %% ")
    parted = (section.partition("\n") for section in sections)
    return {name.replace("all of them", ""): code.strip() for name, _, code in parted}


def anchor(name: str) -> str:
    """Return what a link to an entry ends with: the name without its room."""
    return name.rpartition(".")[2]


def entry(name: str, value: object) -> str:
    """Return the entry of one name: signature, docstring, and those of its methods."""
    if not (inspect.isclass(value) or callable(value)):
        keys = ", ".join(f'"{key}"' for key in value) if isinstance(value, dict) else ""
        return f"## {name} {{ #{anchor(name)} }}\n\nWhat `compare` knows by name: {keys}.\n"
    lines = [f"## {name} {{ #{anchor(name)} }}", "", "```python", signature(name, value), "```", ""]
    lines += [prose(inspect.getdoc(value) or ""), ""]
    if name in examples():
        lines += ["**Example**", "", "```python", examples()[name], "```", ""]
    if inspect.isclass(value):
        if issubclass(value, enum.Enum):
            lines += ["Members: " + ", ".join(f"`{m.name}` ({m.value})" for m in value) + ".", ""]
        for member, function in methods(value).items():
            title = f"{name}(...)" if member == "__call__" else f"{name}.{member}"
            shown = signature(title.removesuffix("(...)"), function)
            mark = f"{{ #{anchor(name)}.{member.strip('_')} }}"
            lines += [f"### {title} {mark}", "", "```python", shown, "```", ""]
            lines += [prose(inspect.getdoc(function) or ""), ""]
    return "\n".join(lines)


def methods(value: type) -> dict[str, object]:
    """Return the public methods and properties of a class that no other entry has."""
    own = [c for c in value.__mro__ if c is value or _is_hidden(c)]
    found, members = {}, {k: v for c in reversed(own) for k, v in vars(c).items()}
    for member, function in members.items():
        function = getattr(function, "fget", getattr(function, "__func__", function))
        if member.startswith("_") and member != "__call__":
            continue
        if inspect.isfunction(inspect.unwrap(function)) and function.__doc__:
            found[member] = inspect.unwrap(function)
    return found


def _is_hidden(base: type) -> bool:
    """Whether a base class is the library's, but without an entry of its own."""
    return base.__module__.startswith("linssl.") and base not in entries()


def signature(name: str, value: Any) -> str:
    """Return a signature as its source writes it, where inspect would write types out in full."""
    value = inspect.unwrap(value)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]
    except (OSError, TypeError):
        return name
    if isinstance(tree, ast.FunctionDef):
        returned = f" -> {ast.unparse(tree.returns)}" if tree.returns else ""
        if any(isinstance(d, ast.Name) and d.id == "property" for d in tree.decorator_list):
            return name + returned.replace(" -> ", ": ")
        return call(name, tree.args) + returned
    assert isinstance(tree, ast.ClassDef)
    for base in value.__mro__:
        if "__init__" in vars(base) and _written(base):
            made = ast.parse(textwrap.dedent(inspect.getsource(vars(base)["__init__"]))).body[0]
            assert isinstance(made, ast.FunctionDef)
            return call(name, made.args)
    if not isinstance(value, type) or issubclass(value, enum.Enum | BaseException):
        return name
    fields = []
    for base in reversed(value.__mro__):
        if base.__module__.startswith("linssl"):
            body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
            assert isinstance(body, ast.ClassDef)
            fields += [_field(f) for f in body.body if isinstance(f, ast.AnnAssign)]
    return wrapped(name, fields) if fields else name


def _field(field: ast.AnnAssign) -> str:
    """Return a field of a class as a parameter, with its default."""
    if isinstance(field.value, ast.Call):  # equinox's, or that of dataclasses
        given = {word.arg: word.value for word in field.value.keywords}
        made = given.get("default_factory")
        field.value = ast.Call(made, [], []) if made else given.get("default")
    return ast.unparse(field)


def _written(base: type) -> bool:
    """Say whether the library wrote a class's __init__ itself (equinox makes the others)."""
    code = getattr(inspect.unwrap(vars(base)["__init__"]), "__code__", None)
    return (
        base.__module__.startswith("linssl.") and code is not None and "linssl" in code.co_filename
    )


def call(name: str, arguments: ast.arguments) -> str:
    """Return a call with its parameters, without self or cls."""
    arguments.args = [a for a in arguments.args if a.arg not in ("self", "cls")]
    text = ast.unparse(arguments)
    if len(name) + len(text) + 2 <= WIDTH:
        return f"{name}({text})"
    parts = re.split(r", (?=\*|/|\w+(?:: |=|,|$))", text)
    return wrapped(name, parts)


def wrapped(name: str, parts: list[str]) -> str:
    """Return name(parts), a part a line where they don't fit in one."""
    line = f"{name}({', '.join(parts)})"
    if len(line) <= WIDTH:
        return line
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + ")"


def prose(doc: str) -> str:
    """Return a docstring as Markdown: sections as lists, equations on lines of their own."""
    head, *parts = SECTION.split(doc)
    text = [head]
    for title, more, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        lines = body.strip("\n").split("\n")
        inside = [line for line in lines if line.startswith("    ") or not line.strip()]
        size = next((i for i, line in enumerate(lines) if line.strip() and line[0] != " "), None)
        inside, after = lines[:size], [] if size is None else lines[size:]
        block = textwrap.dedent("\n".join(inside)).strip("\n")
        if title != "Returns":
            block = re.sub(r"^(\w[\w, ]*?): ", r"- `\1`: ", block, flags=re.M)
        text.append(f"**{title}{more or ''}**\n\n{block}\n\n" + "\n".join(after))
    joined = "\n".join(text)
    joined = re.sub(r"\s*\$\$\s*(.*?)\s*\$\$\s*", _displayed, joined, flags=re.S)
    text, source, cited = joined.rpartition("Source: ")
    cited = re.sub(rf"\b({'|'.join(keys())})\b", r"[\1](../references.md#\1)", cited)
    return f"{text.rstrip()}\n\n*{source.strip()}* {cited}".strip() if source else joined.strip()


@functools.cache
def keys() -> tuple[str, ...]:
    """Return the keys of the bibliography."""
    return tuple(re.findall(r"^@\w+\{(\w+),", (ROOT / "references.bib").read_text(), re.M))


def _displayed(math: re.Match) -> str:
    return "\n\n$$\n" + broken(re.sub(r"\s+", " ", math[1])) + "\n$$\n\n"


def broken(math: str) -> str:
    """Return an equation in lines that fit the page, broken where it has spaces outside braces."""
    parts = re.split(r"\\q?quad\b", math)
    whole = all(part.count("{") == part.count("}") and r"\begin" not in part for part in parts)
    if len(math) < WIDTH or not whole or len(parts) == 1:
        return math
    lines = [parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + len(part) < WIDTH:
            lines[-1] += rf"\quad {part}"
        else:
            lines.append(part)
    return r"\begin{gathered} " + r" \\ ".join(lines) + r" \end{gathered}"


def link_names(text: str, folder: str = "") -> str:
    """Link every public name in backticks to its entry, except in code, headings and math."""
    known = names()
    short = {name.rpartition(".")[2]: name for name in known} | {name: name for name in known}

    def linked(match: re.Match) -> str:
        called = re.fullmatch(r"(?:linssl\.)?([\w.]+)(\(.*\))?", match[1])
        if called is None or called[1] not in short:
            return match[0]
        name = short[called[1]]
        return f"[`{match[1]}`]({folder}{known[name][0]}.md#{anchor(name)})"

    parts = re.split(r"(```.*?```|^#.*?$)", text, flags=re.S | re.M)
    return "".join(
        part if i % 2 else re.sub(r"(?<!\[)`([^`\n]+)`", linked, part)
        for i, part in enumerate(parts)
    )
