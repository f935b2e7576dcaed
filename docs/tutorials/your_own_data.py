"""Use your own data: from a file to a verdict.

A table of measurements in different units, as it would come from a laboratory: 13 properties of 178
wines from three cultivars (bundled with scikit-learn, so nothing is downloaded). Labels are used to
judge, and not to learn.
"""

import tempfile
from pathlib import Path

import jax
import numpy as np
from sklearn.datasets import load_wine

import linssl

with tempfile.TemporaryDirectory() as folder, jax.enable_x64(True):
    # 1. A file: a header row, one column named `label`. Also .npy, .npz and .parquet.
    file = Path(folder) / "wine.csv"
    wine = load_wine()
    table = np.column_stack([wine.data, wine.target])
    np.savetxt(
        file, table, delimiter=",", header=",".join([*wine.feature_names, "label"]), comments=""
    )
    data = linssl.load_dataset(str(file))
    print(f"{len(data.X_train)} rows of {data.X_train.shape[1]} features")

    # Every second wine is held out. Deviations differ by four orders of magnitude.
    X, y, X_test, y_test = (
        data.X_train[::2],
        data.y_train[::2],
        data.X_train[1::2],
        data.y_train[1::2],
    )
    print(f"deviations from {X.std(0).min():.2g} to {X.std(0).max():.3g}")

    def solve(X):
        """Views repeat a measurement, with an error of a fifth of each feature's variance."""
        error = linssl.GaussianNoise(0.2 * X.var(0))
        je = linssl.joint_embedding(linssl.two_views(X, error), 2)
        rc = linssl.reconstruction(linssl.view_and_clean(X, error), 2)
        return {"joint embedding": je, "reconstruction": rc}

    # 2. The same question in two units. Joint embedding can't tell them apart; reconstruction can.
    print("accuracy of a linear probe on 2 dimensions:")
    scale = X.std(0)
    for units, s in (("as they come", np.ones(13)), ("in deviations", scale)):
        for name, solution in solve(X / s).items():
            linssl.check(solution)  # raises, with advice, where anything is wrong
            accuracy = linssl.metrics.probe_accuracy(solution.encoder, X / s, y, X_test / s, y_test)
            print(f"  units {units:13s} {name:16s} {accuracy:.2f}")

    # 3. What goes wrong says so: here a feature that never varies.
    constant = np.where(np.arange(13) == 0, 1.0, X)
    print(linssl.explain(solve(constant)["joint embedding"]))
