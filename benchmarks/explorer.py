"""From a key on a slider to new pixels in a real browser: `python -m benchmarks.explorer`.

Needs the extra `explore`, playwright, and Chromium at /usr/bin/chromium (or $LINSSL_CHROMIUM). It
isn't in `make bench`, which needs no browser.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

CHROMIUM = os.environ.get("LINSSL_CHROMIUM", "/usr/bin/chromium")
STEPS = 8  # of each slider
# Time from the key's event until the frame in which the new picture is decoded and painted.
WATCH = """
() => {
  const times = window.linsslTimes = [];
  let pressed = null;
  window.addEventListener("keydown", () => { pressed = performance.now(); }, true);
  const watch = (picture) => picture.decode().then(() => requestAnimationFrame(() => {
    if (pressed !== null) { times.push(performance.now() - pressed); pressed = null; }
  }));
  new MutationObserver((changes) => {
    for (const change of changes)
      if (change.target.matches?.("img.panels")) watch(change.target);
  }).observe(document.body, {subtree: true, attributes: true, attributeFilter: ["src"]});
}
"""


@contextmanager
def server(*arguments: str) -> Iterator[str]:
    """Run `linssl explore` on a free port; give its address."""
    typed = ["explore", *arguments, "--port", "0", "--no-browser"]
    command = f"from linssl.cli import main; main({typed})"
    with subprocess.Popen(
        [sys.executable, "-c", command], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            yield next(word for word in line.split() if word.startswith("http"))
        finally:
            process.terminate()


def measure(address: str) -> dict[str, list[float]]:
    """Press an arrow key on every slider in turn; milliseconds until the new picture is there."""
    from playwright.sync_api import sync_playwright

    from linssl.explore.state import CONTROLS, DEFAULT

    times = {}
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{address}/?fraction=0.5&beta=0.5&signal_decay=2")  # where every slider matters
        page.wait_for_selector("img.panels", timeout=60_000)
        page.wait_for_timeout(1000)
        page.evaluate(WATCH)
        for name, control in CONTROLS.items():
            thumb = page.get_by_role("slider", name=f"{control.label} {control.symbol}", exact=True)
            thumb.focus()
            at_end = getattr(DEFAULT, name) == control.steps[-1]
            keys = ("ArrowLeft", "ArrowRight") if at_end else ("ArrowRight", "ArrowLeft")
            for step in range(STEPS):
                page.keyboard.press(keys[step % 2])
                done = "count => window.linsslTimes.length >= count"
                page.wait_for_function(done, arg=step + 1, timeout=20_000)
            times[name] = page.evaluate("window.linsslTimes.splice(0)")
        browser.close()
    return times


def first_picture(address: str) -> tuple[float, float]:
    """Open the page; seconds until a picture is there, and until the sliders are."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        began = time.perf_counter()
        page.goto(address, wait_until="commit")
        page.wait_for_function("document.querySelector('img')?.complete")
        picture = time.perf_counter() - began
        page.wait_for_selector("img.panels", timeout=60_000)
        sliders = time.perf_counter() - began
        browser.close()
    return picture, sliders


def main() -> None:
    """Print when the page is there, the median of each slider, and of all steps."""
    with server() as address:
        picture, sliders = first_picture(address)
        print(f"first picture after {picture:.2f} s, sliders after {sliders:.2f} s")
        times = measure(address)
    for name, values in times.items():
        print(f"{name:18} {statistics.median(values):6.0f} ms  ({len(values)} steps)")
    every = sorted(value for values in times.values() for value in values)
    worst = every[int(0.95 * len(every))]
    middle = statistics.median(every)
    print(f"{'all':18} {middle:6.0f} ms, least {every[0]:.0f}, 95 % below {worst:.0f} ms")


if __name__ == "__main__":
    main()
