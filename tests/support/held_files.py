"""Files as people have them, small, each with what is typed beside its path."""

import cells
import numpy as np
from scipy import sparse

N, D = 64, 8
RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, N)
X = RNG.normal(size=(N, D)) + 3 * Y[:, None] * (np.arange(D) < 2)
SITE = np.array(["north", "south"])[Y]
IMAGES = (100 + 20 * RNG.normal(size=(N, 6, 5, 3)) + 40 * Y[:, None, None, None]).astype(np.uint8)


def frame():
    """A table with a column of text, gaps, an identifier and a date."""
    import pandas as pd

    table = pd.DataFrame(X[:, :4], columns=["age", "dose", "weight", "income"])
    table["income"] = 1000 * table["income"].round(3)
    table.loc[5, "age"] = table.loc[9, "dose"] = np.nan
    colour = np.array(["red", "blue", "green"])[np.arange(N) % 3]
    return table.assign(colour=colour, outcome=SITE, code=[f"p{i}" for i in range(N)])


def _nullable(path):
    import pandas as pd

    table = pd.DataFrame(X[:, :3], columns=["a", "b", "c"])
    table["whole"] = pd.array([None, *range(1, N)], "Int64") % 7
    table["smokes"] = pd.array([True, None] * (N // 2), "boolean")
    table["ward"] = pd.array(["A", "B", None, "A"] * (N // 4), "string")
    table.assign(y=SITE).to_parquet(path)


def _text(path, sep, decimal):
    frame().drop(columns="code").to_csv(path, index=False, sep=sep, decimal=decimal)


def _mixed(path):
    frame().to_csv(path, index=False)


def _two(path):
    np.savez(path, raw=X, pca=X[:, :3], y=Y)


OUTCOME = {"labels": "outcome"}
NO_CODE = {**OUTCOME, "drop": ("code",)}
READY = {**NO_CODE, "impute": "median", "standardise": True}
FLIPS = {"augmentation": "flips"}
SERIES = RNG.normal(size=(N, 8, 32))
FIRST = np.moveaxis(IMAGES, -1, 1)
# Of each kind: the name of a file, what writes it, the options that are typed, and what is said:
# an answer, or a message that says what to type.
FILES = {
    "npy": ("x.npy", lambda p: np.save(p, X), {}, None),
    "npz with a third array": (
        "x.npz", lambda p: np.savez(p, X=X, y=Y, site=SITE), {"labels": "site"}, None,
    ),
    "npz of two 2-D arrays": ("t.npz", _two, {}, "--layer"),
    "npz, one of them named": ("t.npz", _two, {"layer": "raw"}, None),
    "npz of pickled labels": (
        "o.npz", lambda p: np.savez(p, X=X, y=SITE.astype(object)), {}, r"astype\(str\)",
    ),
    "mixed csv": ("m.csv", _mixed, OUTCOME, "--drop code"),
    "mixed csv, id dropped": ("m.csv", _mixed, NO_CODE, "--impute median"),
    "mixed csv, imputed": ("m.csv", _mixed, READY, None),
    "semicolons and decimal commas": (
        "s.csv", lambda p: _text(p, ";", ","), OUTCOME, r"read_csv\(.*sep=';', decimal=','",
    ),
    "tabs": ("t.tsv", lambda p: _text(p, "\t", "."), OUTCOME, r"read_csv\(.*sep='\\t'"),
    "parquet of nullable columns": ("n.parquet", _nullable, {"impute": "mean"}, None),
    "csr npz": ("c.npz", lambda p: sparse.save_npz(p, sparse.csr_matrix(X)), {}, None),
    "h5ad": ("cells.h5ad", lambda p: cells.write("h5ad", p.parent), {"labels": "kind"}, None),
    "images (n, h, w, 3)": ("i.npy", lambda p: np.save(p, IMAGES), FLIPS, None),
    "images (n, 3, h, w)": ("j.npy", lambda p: np.save(p, FIRST), FLIPS, None),
    "series (n, 8, 32)": ("z.npy", lambda p: np.save(p, SERIES), {}, None),
    "series, asked to shift": (
        "z.npy", lambda p: np.save(p, SERIES), {"augmentation": "shifts:1"}, "--image 8x32",
    ),
    "wide, 60 x 5 000": ("w.npy", lambda p: np.save(p, RNG.normal(size=(60, 5000))), {}, None),
    "float16": ("h.npy", lambda p: np.save(p, X.astype(np.float16)), {}, None),
    "bool": ("b.npy", lambda p: np.save(p, X > 0), {}, None),
    "uint8": ("u.npy", lambda p: np.save(p, np.uint8(np.clip(40 * X + 128, 0, 255))), {}, None),
}  # fmt: skip
