"""The explorer in a real browser. Skipped where there is none, unless $LINSSL_BROWSER is 1."""

import csv
import importlib.util
import os
import shutil
from contextlib import contextmanager

import pytest

from benchmarks.explorer import server
from linssl.explore.presets import PRESETS
from linssl.explore.state import CONTROLS, DEFAULT

CHROMIUM = shutil.which("chromium")
if not (CHROMIUM and importlib.util.find_spec("playwright")):
    reason = "needs playwright and chromium (apt-get install chromium)"
    if os.environ.get("LINSSL_BROWSER") == "1":
        raise RuntimeError(f"$LINSSL_BROWSER is 1, and the browser test {reason}")
    pytest.skip(reason, allow_module_level=True)

PATIENCE = 60_000  # milliseconds, on a busy machine
KEYS = ("ArrowRight", "ArrowRight", "ArrowLeft")
EVERYTHING = "?fraction=0.5&beta=0.5&signal_decay=2"  # where every slider matters
HOSTILE = "?alpha=<script>hacked=1</script>&n=inf&path=../../etc/passwd&beta=1e99&<b>=1"


@pytest.fixture(scope="module")
def address():
    with server() as address:
        yield address


@pytest.fixture(scope="module")
def context():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_context(viewport={"width": 1280, "height": 800})
        browser.close()


@contextmanager
def visiting(address, context):
    """Open pages; in the end, none has made a request elsewhere, or logged an error."""
    outside, errors, pages = [], [], []

    def opened(query=""):
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda r: r.url.startswith(local) or outside.append(r.url))
        page.on("console", lambda m: m.type == "error" and errors.append(m.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address + query)
        page.wait_for_selector("img.panels")
        pages.append(page)
        return page

    local = (address, address.replace("http", "ws"), "data:", "blob:")
    yield opened
    for page in pages:
        page.close()
    assert outside == []
    assert errors == []


@pytest.fixture
def visit(address, context):
    with visiting(address, context) as opened:
        yield opened


@pytest.fixture(scope="module")
def digits():
    with server("digits") as address:
        yield address


@pytest.fixture
def visit_data(digits, context):
    with visiting(digits, context) as opened:
        yield opened


def picture(page):
    return page.locator("img.panels").get_attribute("src")


def wait_for_address(page, part):
    page.wait_for_function("part => location.href.includes(part)", arg=part)


def wait_for_another(page, before):
    page.wait_for_function(
        "before => document.querySelector('img.panels').src !== before", arg=before
    )


def test_every_slider_moves_the_panels_and_the_address_by_keyboard(visit):
    page = visit(f"/{EVERYTHING}")
    thumbs = page.locator(".controls:visible [role=slider]").all()
    for (name, control), thumb in zip(CONTROLS.items(), thumbs, strict=True):
        before, url = picture(page), page.url
        thumb.press("ArrowLeft" if getattr(DEFAULT, name) == control.steps[-1] else "ArrowRight")
        wait_for_another(page, before)
        page.wait_for_function("url => location.href !== url", arg=url)
        assert f"{name}=" in page.url


def test_a_number_in_a_field_and_a_click_in_the_phase_diagram_move_the_point(visit):
    page = visit()
    field = page.locator(".controls:visible input[inputmode]").nth(list(CONTROLS).index("n"))
    field.fill("5100")
    field.press("Enter")
    wait_for_address(page, "n=5000")  # the nearest step
    box = page.locator(".picture").bounding_box()
    page.mouse.click(box["x"] + 0.15 * box["width"], box["y"] + 0.7 * box["height"])
    page.wait_for_function("!location.href.includes('alpha=1&')")
    assert "n=5000" in page.url
    page.get_by_role("heading", name="Both keep the signal.").wait_for()


def test_spectra_can_be_pasted(visit):
    page = visit()
    field = page.locator(".controls:visible").get_by_label("noise variances")
    field.fill("0.04 0.02 0.01")
    field.press("Enter")
    wait_for_address(page, "own_noise=0.04")
    assert "[0.04, 0.02, 0.01]" in page.locator("details pre").text_content()
    field.fill("many")
    field.press("Enter")
    page.get_by_role("alert").get_by_text("noise must be up to 10 variances").wait_for()


def test_every_name_says_what_it_does_when_pointed_at(visit):
    page = visit()
    page.get_by_text("alignment α").first.hover()
    page.get_by_text(CONTROLS["alpha"].about).first.wait_for()


def test_a_picture_comes_before_the_page(address, context):
    answer = context.request.get(f"{address}/first.png?alpha=20&evil=<b>")
    assert answer.body().startswith(b"\x89PNG")
    assert answer.body() != context.request.get(f"{address}/first.png").body()


def test_a_preset_and_a_shared_link_restore_a_view(visit, tmp_path):
    page, name = visit(), "Regime: Class pairs rescue"
    page.get_by_role("combobox", name="Preset").select_option(label=name)
    page.get_by_text(PRESETS[name].about).wait_for()
    wait_for_address(page, "fraction=0.95")
    code = page.locator("details pre")
    assert "0.95" in code.text_content()
    for label, file in (("Numbers (CSV)", "linssl.csv"), ("Figure (PNG)", "linssl.png")):
        with page.expect_download() as download:
            page.get_by_text(label).click()
        download.value.save_as(tmp_path / file)
    with open(tmp_path / "linssl.csv", newline="", encoding="utf-8") as table:
        assert ["view", "", "fraction", "0.95", ""] in csv.reader(table)
    assert (tmp_path / "linssl.png").read_bytes().startswith(b"\x89PNG")

    shared = page.url.removeprefix(page.url.split("/?")[0])
    assert picture(visit(shared)) == picture(page)
    before = picture(page)
    page.get_by_role("slider", name="alignment α").press("End")
    wait_for_another(page, before)
    page.wait_for_function("location.href.includes('alpha=20')")
    page.get_by_role("button", name="Reset").click()
    page.get_by_text(PRESETS[name].about).wait_for()
    wait_for_address(page, shared)


def test_no_file_but_the_page_is_served(address, context):
    for path in ("?file=../../etc/passwd", "?file=/etc/passwd", "assets/..%2f..%2f..%2fetc/passwd"):
        answer = context.request.get(f"{address}/{path}")
        assert answer.status == 404
        assert "root:" not in answer.text()
    foreign = context.request.get(address, headers={"host": "evil.example"})
    assert foreign.status == 403
    code = {"cellIds": ["a"], "codes": ["1"]}
    assert not context.request.post(f"{address}/api/kernel/run", data=code).ok


def test_a_hostile_link_is_told_and_harmless(visit):
    page = visit(f"/{HOSTILE}")
    notes = page.get_by_role("alert").inner_text()
    for said in ("alpha must be a finite number; got '<script>", "no 'path'", "n must be", "<b>"):
        assert said in notes
    assert page.evaluate("typeof hacked") == "undefined"
    wait_for_address(page, "/")  # it says what is shown: the default


def test_every_control_of_data_moves_the_panels_and_the_address_by_keyboard(visit_data):
    page = visit_data()
    before = picture(page)
    page.get_by_role("combobox", name="augmentation").select_option(label="mask")
    wait_for_another(page, before)
    wait_for_address(page, "family=mask")
    for i, (name, key) in enumerate(zip(("strength", "dim", "n"), KEYS, strict=True)):
        before, url = picture(page), page.url
        page.locator(".controls:visible [role=slider]").nth(i).press(key)
        wait_for_another(page, before)
        page.wait_for_function("url => location.href !== url", arg=url)
        assert f"{name}=" in page.url
    page.get_by_role("heading", name="(mask").wait_for()
    assert "'mask:" in page.locator("details pre").text_content()


def test_a_link_to_data_restores_what_was_seen_and_files_hold_it(visit_data, tmp_path):
    page = visit_data("/?family=shifts&strength=2&dim=4&n=100&evil=<b>")
    assert "There is no 'evil'" in page.get_by_role("alert").inner_text()
    page.get_by_role("heading", name="(shifts 2, k = 4)").wait_for()
    for label, file in (("Numbers (CSV)", "linssl.csv"), ("Figure (PNG)", "linssl.png")):
        with page.expect_download() as download:
            page.get_by_text(label).click()
        download.value.save_as(tmp_path / file)
    with open(tmp_path / "linssl.csv", newline="", encoding="utf-8") as table:
        assert ["view", "", "n", "100", ""] in csv.reader(table)
    assert (tmp_path / "linssl.png").read_bytes().startswith(b"\x89PNG")
    before = picture(page)
    page.get_by_role("slider", name="number of codes k").press("End")
    wait_for_address(page, "dim=32")
    page.get_by_role("button", name="Reset").click()
    wait_for_address(page, "dim=4&")
    page.wait_for_function(
        "before => document.querySelector('img.panels').src === before", arg=before
    )
