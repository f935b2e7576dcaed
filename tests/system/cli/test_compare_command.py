"""`linssl compare`, as a user types it."""

import json

import numpy as np
import pytest

from linssl.cli import main

RNG = np.random.default_rng(0)
X, PLATE = RNG.standard_normal((90, 4)) * [3, 2, 1, 0.5], RNG.integers(0, 3, 90)


@pytest.fixture
def files(tmp_path):
    y = (X[:, 0] > 0).astype(int)
    np.savez(tmp_path / "data.npz", X=X, y=y)
    np.save(tmp_path / "plate.npy", PLATE)
    np.save(tmp_path / "codes.npy", X[:, :2])
    np.save(tmp_path / "few.npy", X[:5, :2])
    return tmp_path


def test_a_networks_codes_are_beside_the_closed_forms(files, capsys):
    text = f"compare {files}/codes.npy --data {files}/data.npz --nuisance {files}/plate.npy"
    main(text.split())
    out = capsys.readouterr().out
    for part in ("effective rank", "labels, R²", "nuisance, R²", "from network", "CKA of network"):
        assert part in out
    assert "90 rows; by chance 0.022 is explained from the network's codes." in out
    main([*text.split(), "--json"])
    record = json.loads(capsys.readouterr().out)
    assert record["dims"]["network"] == 2
    shared = {(one["of"], one["from"]): one["r2"] for one in record["shared"]}
    assert shared["reconstruction", "network"] > 0.99  # the strongest two features
    assert record["nuisance"]["network"] < 0.2 < record["labels"]["network"]


def test_codes_of_other_rows_are_refused(files):
    with pytest.raises(SystemExit, match="codes must have 90 rows, one for each of data; got 5"):
        main(f"compare {files}/few.npy --data {files}/data.npz".split())
