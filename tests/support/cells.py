"""A small data set of cells: genes with names, kinds, plates that shift some genes, donors."""

import warnings

import numpy as np
from scipy import sparse

N, GENES = 400, tuple(f"gene {i}" for i in range(6))
RNG = np.random.default_rng(0)
KIND = np.array(["B", "NK", "T"])[RNG.integers(0, 3, N)]
PLATE = np.array(["p", "q", "r", "s"])[RNG.integers(0, 4, N)]
DONOR = np.array([f"donor {i}" for i in range(40)])[RNG.integers(0, 40, N)]
COUNTS = RNG.standard_normal((N, 6)) * (RNG.random((N, 6)) < 0.7)
COUNTS[:, 0] += 2.0 * (KIND == "B")
COUNTS[:, 1] += 2.0 * (KIND == "T")
COUNTS[:, 2] += 6.0 * (PLATE == "p")  # stronger than any kind
COUNTS[:, 3] += 6.0 * (PLATE == "q")
COUNTS = COUNTS.astype(np.float32)


def table():
    import pandas as pd

    return pd.DataFrame(COUNTS, columns=list(GENES)).assign(kind=KIND, plate=PLATE, donor=DONOR)


def annotated():
    """An AnnData, sparse; text is of Python's type, as anndata knows no other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anndata
        import pandas as pd

        def text(values):
            return pd.Index(list(values), dtype=object)

        columns = {"kind": KIND, "plate": PLATE, "donor": DONOR}
        obs = {name: pd.Categorical(text(values)) for name, values in columns.items()}
        index = text(f"cell {i}" for i in range(N))
        genes = pd.DataFrame(index=text(GENES))
        return anndata.AnnData(sparse.csr_matrix(COUNTS), pd.DataFrame(obs, index=index), genes)


def write(kind, folder):
    """Write the data in some format; return the path."""
    path = folder / f"cells.{kind}"
    if kind == "csv":
        table().to_csv(path, index=False)
    elif kind == "parquet":
        table().to_parquet(path)
    elif kind == "npz":
        np.savez(path, X=COUNTS, kind=KIND, plate=PLATE, donor=DONOR)
    elif kind == "h5ad":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            annotated().write_h5ad(path)
    else:
        import h5py

        with h5py.File(path, "w") as file:
            file["X"] = COUNTS
            for name, values in (("kind", KIND), ("plate", PLATE), ("donor", DONOR)):
                file[name] = values.astype("S10")
    return path
