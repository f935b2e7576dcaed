"""Files of 10x Genomics: cells x genes with their names, whichever version wrote them."""

import h5py
import numpy as np
import pytest
from scipy import sparse

from linssl import same_instance
from linssl.data import open_source

COUNTS = sparse.random_array(
    (30, 5),
    density=0.4,
    format="csr",
    rng=np.random.default_rng(0),
    data_sampler=lambda size: np.arange(size) % 7 + 1,
).astype(np.int32)
GENES, IDS = ["TP53", "ACTB", "TBCE", "GAPDH", "TBCE"], [f"ENSG{i}" for i in range(5)]
NAMES = ("TP53", "ACTB", "TBCE (ENSG2)", "GAPDH", "TBCE (ENSG4)")
BARCODES = [f"CELL{i}-1" for i in range(30)]


def write(file, version=3, genomes=("GRCh38",), **changed):
    """Write the counts as CellRanger does, with some parts changed, or left out where None."""
    with h5py.File(file, "w") as root:
        for genome in genomes if version == 2 else ["matrix"]:
            names = {"gene_names": GENES, "genes": IDS}
            if version == 3:
                names = {
                    "features/name": GENES,
                    "features/id": IDS,
                    "features/feature_type": ["Gene Expression"] * 5,
                }
            parts = {
                "data": COUNTS.data,
                "indices": COUNTS.indices.astype(np.int64),
                "indptr": COUNTS.indptr.astype(np.int64),
                "shape": np.array([5, 30], np.int32),
                "barcodes": BARCODES,
                **names,
            }
            for name, values in (parts | changed).items():
                if values is not None:
                    text = isinstance(values, list)
                    root[f"{genome}/{name}"] = np.array(values, "S") if text else values
    return file


@pytest.mark.parametrize("version", [2, 3])
def test_rows_are_cells_and_features_genes_by_name(version, tmp_path):
    source = open_source(write(tmp_path / "x.h5", version))
    assert (source.shape, source.names, source.columns) == ((30, 5), NAMES, ("barcodes",))
    assert source.column("barcodes").tolist() == BARCODES
    for rows in (slice(None), slice(3, 7), slice(29, 30)):
        np.testing.assert_array_equal(source[rows].toarray(), COUNTS[rows].toarray())
    dense = same_instance(COUNTS.toarray())
    np.testing.assert_allclose(same_instance(source).shared, dense.shared, rtol=1e-6)


def test_one_of_several_genomes_must_be_named(tmp_path):
    file = write(tmp_path / "x.h5", 2, ("GRCh38", "mm10"))
    with pytest.raises(ValueError, match=r"x.h5: layer= must be one of GRCh38, mm10; got None"):
        open_source(file)
    assert open_source(file, layer="mm10").part == "mm10"


INDPTR = COUNTS.indptr.astype(np.int64)
FALLING = INDPTR.copy()
FALLING[4] = INDPTR[6]


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"indptr": INDPTR[:-1]}, "x.h5: matrix: indptr must be 31 whole numbers, one more than"),
        ({"indptr": FALLING}, "x.h5: matrix: indptr must not fall; it does at row 4"),
        ({"data": COUNTS.data[:-2]}, "x.h5: matrix: data and indices must be of one length"),
        ({"indptr": INDPTR + 1}, "indptr must go from 0 to the .* it goes from 1"),
        ({"indptr": None}, "x.h5: matrix must hold data, .* it has no indptr"),
        ({"shape": None}, "it has no shape"),
        ({"shape": np.array([5])}, "x.h5: matrix/shape must be genes and cells, two numbers"),
        (
            {"shape": np.array([30, 5])},
            r"matrix/features/name must be \(30,\), one for each of the g",
        ),
        ({"barcodes": BARCODES[:9]}, r"matrix/barcodes must be \(30,\), one for each of the cells"),
        ({"features/id": IDS[:3]}, r"matrix/features/id must be \(5,\)"),
    ],
)
def test_parts_that_do_not_fit_are_named(changed, match, tmp_path):
    with pytest.raises(ValueError, match=match):
        open_source(write(tmp_path / "x.h5", **changed))


def test_indices_beyond_the_genes_and_a_file_that_is_cut_off_say_where(tmp_path):
    indices = COUNTS.indices.astype(np.int64)
    indices[-1] = 5
    source = open_source(write(tmp_path / "x.h5", indices=indices))
    with pytest.raises(
        ValueError, match=r"x.h5: matrix: row 29: indices must lie in 0 to 4; got 5"
    ):
        source[:]
    file = write(tmp_path / "cut.h5")
    file.write_bytes(file.read_bytes()[:-900])
    with pytest.raises(ValueError, match=r"cut.h5 can.t be read as .h5: .*truncated"):
        open_source(file)
