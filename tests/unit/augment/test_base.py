"""What is no augmentation, and the words that say so."""

import pytest

from linssl import (
    Augmentation,
)


def test_augmentation_without_a_simulator_or_a_spread_is_abstract():
    class Half(Augmentation):
        def sample(self, key, x):
            del key
            return x

    with pytest.raises(TypeError, match="abstract"):
        Half()
