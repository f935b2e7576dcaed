"""Copy figures into docs/figures, small: `python -m docs.figures FOLDER`, or `make docs-figures`.

Figures are made and not tracked, so the site has copies of 64 colours. The caption is cut off the
picture and kept as text, which can be searched and read aloud.
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from docs.marks import experiments
from linssl.plotting.style import STYLE, caption_block

FOLDER = Path(__file__).parent / "figures"
LIMIT = 150_000  # bytes


def copy(made: Path, kept: Path) -> None:
    """Copy every figure there is, made from digits, and its caption."""
    captions = {}
    for name in experiments():
        record = made / f"{name}.json"
        if not record.exists():
            continue
        facts = json.loads(record.read_text())
        if facts["data"] not in ("digits", "simulated"):
            raise SystemExit(f"error: {name} is of {facts['data']}; the site shows digits.")
        captions[name] = facts["caption"]
        target = kept / f"{name}.png"
        with Image.open(made / f"{name}.png") as image:
            foot = round(caption_block(facts["caption"])[1] * STYLE["savefig.dpi"])
            panels = image.convert("RGB").crop((0, 0, image.width, image.height - foot))
            empty = np.asarray(panels).min(axis=(1, 2)) > 250  # rows; letters may reach above
            panels = panels.crop((0, 0, image.width, int(np.flatnonzero(empty)[-1])))
            panels.quantize(64, dither=Image.Dither.NONE).save(target, optimize=True)
        if target.stat().st_size > LIMIT:
            raise SystemExit(f"error: {target} has more than {LIMIT:,} bytes.")
    (kept / "captions.json").write_text(json.dumps(captions, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    copy(Path(sys.argv[1]), FOLDER)
