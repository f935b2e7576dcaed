"""The paradigm map shows what its caption says, read from the numbers that were plotted."""

import jax
import numpy as np
import pytest
from conftest import read_table


@pytest.mark.x64
def test_the_paradigm_map_is_its_closed_forms_and_no_objective_is_best_everywhere(tmp_path):
    from experiments import common, paradigm_map

    # As experiments run, with jax's own rules of promotion.
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        paradigm_map.main(common.Options(out=tmp_path))
    rows = read_table(tmp_path / "paradigm_map.csv")
    columns = ["objective", "noise_variance", "alpha", "distance", "kept", "alpha_squared_theory"]
    assert list(rows[0]) == columns
    kept = {}
    for row in rows:
        square, needed = float(row["alpha"]) ** 2, float(row["alpha_squared_theory"])
        if abs(square - needed) > 1e-4 * square:  # 6 digits in the CSV
            assert row["kept"] == str(int(square > needed)), row
        kept.setdefault(row["objective"], []).append(row["kept"] == "1")
    assert kept.keys() == set(paradigm_map.OBJECTIVES)
    assert "in 0 of 13,824 cells" in (tmp_path / "paradigm_map.json").read_text()
    share = {name: np.array(cells) for name, cells in kept.items()}
    for name, cells in share.items():
        others = np.any([c for other, c in share.items() if other != name], axis=0)
        assert (others & ~cells).any(), name
    strong = np.array([float(row["noise_variance"]) > 1 for row in rows[: share[name].size]])
    assert (share["alignment_only"] == ~strong).all()
