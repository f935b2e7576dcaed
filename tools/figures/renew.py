"""Renew figures/reference: `python -m tools.figures.renew FOLDER`, or `make figures-reference`.

Numbers and records are kept as they were made; pictures get 64 colours, and lose the caption, which
the record has as text that can be searched and read aloud.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from linssl.plotting.style import STYLE, caption_block
from tools.figures.gallery import REFERENCE, experiments

LIMIT = 150_000  # bytes of a picture


def renew(made: Path, kept: Path) -> None:
    """Keep every figure, made from digits, in place of those kept before."""
    records = {name: json.loads((made / f"{name}.json").read_text()) for name in experiments()}
    for name, record in records.items():
        if record["data"] not in ("digits", "simulated"):
            raise SystemExit(f"error: {name} is of {record['data']}; the reference is of digits.")
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for name, record in records.items():
        for file in (f"{name}.json", *(f"{table}.csv" for table in record["tables"])):
            shutil.copy(made / file, kept / file)
        picture(made / f"{name}.png", record["caption"]).save(kept / f"{name}.png", optimize=True)
        if (kept / f"{name}.png").stat().st_size > LIMIT:
            raise SystemExit(f"error: {name}.png has more than {LIMIT:,} bytes.")


def picture(made: Path, caption: str) -> Image.Image:
    """Return a figure in few colours, without the caption beneath it."""
    with Image.open(made) as image:
        foot = round(caption_block(caption)[1] * STYLE["savefig.dpi"])
        panels = image.convert("RGB").crop((0, 0, image.width, image.height - foot))
    empty = np.asarray(panels).min(axis=(1, 2)) > 250  # rows; letters may reach above
    panels = panels.crop((0, 0, panels.width, int(np.flatnonzero(empty)[-1])))
    return panels.quantize(64, dither=Image.Dither.NONE)


if __name__ == "__main__":
    renew(Path(sys.argv[1]), REFERENCE)
