"""The figure of learning dynamics shows what its caption says."""

import jax
import numpy as np
import pytest
from scripts import read_table

from experiments import dynamics, shared
from linssl.plotting import house_style


@pytest.mark.x64
def test_descent_follows_the_closed_forms_and_jepa_learns_large_rho_first(tmp_path):
    # As experiments run, with jax's own rules of promotion.
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"), house_style():
        dynamics.main(shared.Options(out=tmp_path))
    rows = read_table(tmp_path / "dynamics.csv")
    assert list(rows[0]) == ["objective", "random", "time", "rho", "theory", "mean", "se"]
    half = {}
    for name in ("JEPA", "MAE"):
        for random in (0.0, 0.1):
            here = [r for r in rows if (r["objective"], float(r["random"])) == (name, random)]
            size, theory, se = (
                np.array([float(r[key]) for r in here]).reshape(-1, 4)
                for key in ("mean", "theory", "se")
            )
            times = np.array([float(r["time"]) for r in here]).reshape(-1, 4)[:, 0]
            assert (random > 0) == (se.max() > 0)
            if not random:
                np.testing.assert_allclose(size, theory, atol=0.02)
            half[name, random] = [np.interp(0.9, np.maximum.accumulate(s), times) for s in size.T]
            if name == "JEPA":  # by falling rho
                assert np.all(np.diff(half[name, random]) > 0)
        spread = np.ptp(half[name, 0.0]) / np.mean(half[name, 0.0])
        assert spread > 0.3 if name == "JEPA" else spread < 0.03
    for row in read_table(tmp_path / "dynamics_crossing.csv"):
        theory, ratio = float(row["theory"]), float(row["rho_ratio"])
        assert abs(float(row["measured"]) / theory - 1) < 0.01
        if ratio < 1:
            assert theory > 1.003 if row["objective"] == "JEPA" else 0.9 < theory < 1.02
