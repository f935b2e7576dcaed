"""The site is whole, and its check finds what is broken; its search knows what users ask for."""

import importlib.util
import json
import re
import shutil
from pathlib import Path

import jax
import pytest

import linssl
from tools.figures.gallery import experiments
from tools.site import api, marks
from tools.site.build import assemble, build
from tools.site.check import problems

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The sources of the site and the site itself, in a folder of their own."""
    root = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", root / "docs")
    shutil.copy(ROOT / "mkdocs.yml", root)
    assert build(root) == []
    return root


def test_a_built_site_loads_nothing_from_outside_and_has_every_page(copy):
    assert (copy / "site" / "vendor" / "mathjax" / "tex-chtml.js").exists()
    assert (copy / "site" / "api" / "objectives.html").exists()
    assert problems(copy) == []


USERS_WORDS = {  # a page that tells of each
    "missing values": "data.html",
    "batch effect": "tasks.html",
    "colour images": "tasks.html",
    "how many samples": "words.html",
    "imbalanced classes": "tasks.html",
    "MAE": "words.html",
    "JEPA": "words.html",
    "DINO": "words.html",
    "SimCLR": "recommend.html",
}


@pytest.mark.parametrize("words", USERS_WORDS)
def test_the_search_index_knows_the_words_of_users(copy, words):
    served, of_files = (copy / "site" / name for name in ("search.json", "search.js"))
    assert served.read_text() in of_files.read_text()
    found = [
        item["location"]
        for item in json.loads(served.read_text())["items"]
        if words.lower() in f"{item['title']} {item['text']}".lower()
    ]
    assert any(place.startswith(USERS_WORDS[words]) for place in found), found


def test_the_search_answers_on_a_page_that_is_opened_as_a_file(copy):
    chromium = shutil.which("chromium")
    if not (chromium and importlib.util.find_spec("playwright")):
        pytest.skip("needs playwright and chromium (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(60_000)
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((copy / "site" / "api" / "index.html").as_uri())
        page.click(".md-search__button, [data-md-component=search] button")
        page.keyboard.type("missing values", delay=50)
        page.locator("li", has_text="Words people use").first.wait_for()
        browser.close()
    assert errors == []


DAMAGES = {
    '<img src="figures/none.png">': "figures/none.png isn't there",
    '<script src="https://example.org/a.js"></script>': "loads https://example.org/a.js",
    '<a href="choose.html#nothing">': "choose.html#nothing has no such anchor",
    "<p>an equation $x^2$ that isn't marked</p>": "not rendered",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_a_built_page_is_found(copy, damage):
    page = copy / "site" / "index.html"
    whole = page.read_text()
    page.write_text(whole.replace("</article>", f"{damage}</article>"))
    try:
        (found,) = problems(copy)
    finally:
        page.write_text(whole)
    assert DAMAGES[damage] in found


def test_the_menu_names_every_page_and_no_other(copy):
    config = copy / "mkdocs.yml"
    whole = config.read_text()
    config.write_text(whole.replace("gallery.md", "none.md"))
    try:
        assert problems(copy) == [
            "mkdocs.yml: nav doesn't name gallery.md",
            "mkdocs.yml: nav names none.md, which isn't there",
        ]
    finally:
        config.write_text(whole)


def test_a_link_to_nothing_stops_the_build(copy, tmp_path):
    shutil.copytree(copy / "docs", tmp_path / "docs")
    shutil.copy(copy / "mkdocs.yml", tmp_path)
    (tmp_path / "docs" / "gallery.md").write_text("# Gallery\n\n[nothing](nothing.md)\n")
    (found,) = build(tmp_path)
    assert "page does not exist" in found


def test_an_unknown_mark_is_an_error():
    with pytest.raises(ValueError, match="unknown mark <!-- make: nonsense -->; there are figure"):
        marks.fill("<!-- make: nonsense -->", ROOT / "docs")


def test_every_public_name_has_an_entry():
    pages = "".join(api.pages().values())
    road = {n for n, v in vars(linssl).items() if n[0] != "_" and type(v).__name__ != "module"}
    assert road < api.names().keys()
    assert len(api.names()) > 150
    for name, (_, value) in api.names().items():
        _, found, text = pages.partition(f"## {name} {{ #{api.anchor(name)} }}")
        entry, cited = text.split("\n## ")[0], "Source: " in (value.__doc__ or "")
        assert found, name
        assert "*Source:*" in entry or not cited, name


def test_every_name_of_the_road_has_an_example_that_prints_what_it_says(
    tmp_path, monkeypatch, capsys
):
    road = {n for n, v in vars(linssl).items() if n[0] != "_" and type(v).__name__ != "module"}
    assert set(api.examples()) - {""} == road
    monkeypatch.chdir(tmp_path)
    namespace = {}
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        for name, code in api.examples().items():
            exec(compile(code, name, "exec"), namespace)
            said = re.findall(r"^print\(.*\)  # (.*)$", code, re.M)
            assert capsys.readouterr().out.splitlines() == said, name


def test_signatures_show_defaults():
    assert "units: Mapping[str, str] = dict()" in api.signature("Sweep", linssl.Sweep)
    family = linssl.designs.DropoutFamily
    assert "least: float = 0.05" in api.signature("DropoutFamily", family)


def test_signatures_are_those_of_the_source():
    assert api.signature("check", linssl.check) == "check(solution: Solution) -> Solution"
    simvae = api.signature("simvae", linssl.simvae).replace(",\n    ", ", ")
    assert "views: Views, dim: int, group_size: int" in simvae


def test_every_status_and_experiment_is_described(tmp_path):
    assemble(ROOT / "docs", tmp_path)
    trouble = (tmp_path / "troubleshooting.md").read_text()
    assert all(f"### {flag.name}\n\nBit {flag.value};" in trouble for flag in linssl.Status if flag)
    gallery = (tmp_path / "gallery.md").read_text()
    assert all(f"## {name}\n" in gallery for name in experiments())
