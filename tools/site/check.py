"""What a site must be: whole, of the pages that the menu names, with nothing from outside."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml

LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """What a page refers to, its anchors, and its words outside of code and math."""

    def __init__(self, file: Path):
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.words = ""
        self._skip = 0
        self.feed(file.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note links, what is loaded, and anchors."""
        given = {key: value or "" for key, value in attrs}
        if "id" in given:
            self.anchors.add(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in LOADED and given.get(LOADED[tag]) and given.get("rel") != "canonical":
            self.loads.append(given[LOADED[tag]])
        self._skip += tag in ("code", "script", "style")

    def handle_endtag(self, tag: str) -> None:
        """Leave code."""
        self._skip -= tag in ("code", "script", "style")

    def handle_data(self, data: str) -> None:
        """Keep words."""
        self.words += "" if self._skip else data


def problems(root: Path) -> list[str]:
    """Say what is wrong with root/site, a line each; zensical itself passes over all of this."""
    site, pages = root / "site", root / "build" / "docs"
    named = set(menu(yaml.safe_load((root / "mkdocs.yml").read_text())["nav"]))
    there = {file.relative_to(pages).as_posix() for file in pages.rglob("*.md")}
    found = [f"mkdocs.yml: nav names {name}, which isn't there" for name in named - there]
    found += [f"mkdocs.yml: nav doesn't name {name}" for name in there - named]
    read = {file.resolve(): Page(file) for file in site.rglob("*.html")}
    for file, page in read.items():
        name = file.relative_to(site.resolve())
        if name.name == "404.html":  # its links are absolute, for wherever it is served
            continue
        for url in page.links + page.loads:
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                if url in page.loads and parts.scheme != "data":
                    found.append(f"{name}: loads {url} from outside")
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                found.append(f"{name}: {url} isn't there")
            elif parts.fragment and target in read:
                own = parts.fragment.startswith("__")  # of the theme: code lines, the menu
                if not own and parts.fragment not in read[target].anchors:
                    found.append(f"{name}: {url} has no such anchor")
        raw = re.search(r"\$[^$]{1,60}\$|\$\$|<!-- make", page.words)
        if raw:
            found.append(f"{name}: not rendered: {raw[0]!r}")
    return sorted(found)


def menu(entry: object) -> list[str]:
    """Return the files that an entry of the menu names, at any depth."""
    if isinstance(entry, str):
        return [entry]
    parts = entry.values() if isinstance(entry, dict) else entry
    return [name for part in parts for name in menu(part)]  # pyright: ignore
