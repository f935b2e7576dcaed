"""Data that are given, seen through fresh Gaussian noise: their moments, drawn exactly."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from linssl._checks import is_concrete
from linssl._structure import Moment, as_float, exact_products, moment_root
from linssl.data.exact import noisy_moments
from linssl.moments import PairMoments
from linssl.pairing import same_instance_moments


class NoisyMoments(NamedTuple):
    r"""One draw: the pair of every $\tilde x$ with itself, and with its label if there is one.

    Source: JEvRC, section 4.
    """

    same: PairMoments
    label: PairMoments | None


class NoisyData(eqx.Module):
    r"""Clean rows x, of which only the moments matter, and noise $\tilde x = x + \gamma$ on each.

    $$ \gamma \sim N(0, \Gamma) \text{ fresh on every row}, \qquad R^T R = X_c^T X_c $$

    Args:
        root: $R$, (m, m): factor of the centred rows [x y], zero rows last.
        mean: of the rows [x y], (m,).
        count: $n$, the number of rows.
        features: d, how many of the m columns are x; the others are the label.

    Source: derived; the corrupted data of JEvRC, section 4, given the clean ones.
    """

    root: Float[Array, "m m"]
    mean: Float[Array, " m"]
    count: Float[Array, ""]
    features: int = eqx.field(static=True)

    @classmethod
    @exact_products
    def from_pair(cls, pair: PairMoments) -> "NoisyData":
        """Summarise clean data: `same_instance(data)`, or `with_label(data, labels)`.

        Args:
            pair: raw or centred moments of n < inf rows.

        Source: derived.
        """
        if is_concrete(pair.count) and not np.isfinite(float(pair.count)):
            raise ValueError(f"pair must be of a finite number of rows; got count {pair.count}.")
        centred, mean, n = pair.centred(), pair.mean_first, pair.count.astype(pair.first.dtype)
        S = centred.first
        if not pair.exchangeable:  # the label's block too
            S = jnp.block([[S, centred.cross], [centred.cross.T, centred.second]])
            mean = jnp.concatenate([mean, pair.mean_second])
        root = moment_root(n * S)
        return cls(root, mean, n, pair.first.shape[0])

    def sample_moments(self, key: Key[Array, ""], noise: Moment) -> NoisyMoments:
        r"""Draw the moments of the n noisy rows, exactly, at a cost that n doesn't enter.

        Args:
            key: a random key.
            noise: $\Gamma$, (d,) for a diagonal, or (d, d).

        Returns:
            Raw moments. Noise of 0 gives the clean ones, so that one key compares the two.

        Raises:
            ValueError: noise of another size than the data.

        Source: derived (`noisy_moments`).
        """
        Gamma, d = as_float(noise), self.features
        if Gamma.shape not in ((d,), (d, d)):
            raise ValueError(f"noise must be ({d},) or ({d}, {d}); got {Gamma.shape}.")
        S, mean = noisy_moments(key, self.root, self.mean, Gamma, self.count)
        same = same_instance_moments(S[:d, :d], mean[:d], self.count)
        if d == self.root.shape[0]:
            return NoisyMoments(same, None)
        label = PairMoments(S[:d, :d], S[d:, d:], S[:d, d:], mean[:d], mean[d:], self.count)
        return NoisyMoments(same, label)
