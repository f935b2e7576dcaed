"""What has no finite-sample risk, and the words that say so."""

import numpy as np
import pytest

from linssl.theory import (
    detection_threshold,
    spiked_joint_embedding,
    spiked_pca,
    spiked_reconstruction,
)

LAM, THETA = np.array([3.0, 2.0, 1.2]), np.array([0.3, 0.4, 0.5])


def test_impossible_spectra_and_too_few_samples_are_refused():
    for predict in (spiked_joint_embedding, spiked_reconstruction):
        with pytest.raises(ValueError, match="count must exceed the number of signals, 3; got 3"):
            predict(LAM, [1.0], 0.5, 0.1, 1.0, 3)
        with pytest.raises(ValueError, match=r"alpha must lie in \[0, .*got -1"):
            predict(LAM, [1.0], 0.5, 0.1, -1.0, 30)
        with pytest.raises(ValueError, match=r"noise must hold variances > 0; got 0"):
            predict(LAM, [0.0], 0.5, 0.1, 1.0, 30)
        with pytest.raises(ValueError, match=r"base_signal must be a scalar or \(3,\); got \(2,\)"):
            predict(LAM, [1.0], [0.5, 0.5], 0.1, 1.0, 30)
    with pytest.raises(ValueError, match=r"signal must be a \(k,\) array of variances; got \(\)"):
        spiked_pca(1.0, [1.0], 30)
    with pytest.raises(ValueError, match=r"count must be a scalar; got shape \(2,\)"):
        detection_threshold(LAM, [1.0], 0.5, 0.1, [30, 40])
