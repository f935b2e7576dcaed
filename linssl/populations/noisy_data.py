"""Data that are given, seen through fresh Gaussian noise: their moments, drawn exactly."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from linssl.arguments import as_float, is_concrete, require_whole
from linssl.linalg.shown import Shown, shows_numbers
from linssl.linalg.structure import Moment, dense, exact_products, moment_root
from linssl.moments import PairMoments, Views
from linssl.names import Names
from linssl.pairs import same_instance_moments
from linssl.populations.wishart import noisy_moments


@shows_numbers
class NoisyMoments(NamedTuple):
    r"""One draw: the pair of every $\tilde x$ with itself, and with its label if there is one.

    Source: JEvRC, section 4.
    """

    same: Views
    label: PairMoments | None


class NoisyData(Shown):
    r"""Clean rows x, of which only the moments matter, and noise $\tilde x = x + \gamma$ on each.

    $$ \gamma \sim N(0, \Gamma) \text{ fresh on every row}, \qquad R^T R = X_c^T X_c $$

    With `appended` q, the noise is not on x but on q features of its own behind it, irrelevant
    ones: $\tilde x = [x\; \gamma]$.

    Args:
        root: $R$, (m, m): factor of the centred rows [x y], zero rows last.
        mean: of the rows [x y], (m,).
        count: $n$, the number of rows.
        features: d, how many of the m columns are x; the others are the label.
        appended: q, how many noise features follow x; 0 puts the noise on x itself.
        names: of the features of x, which go with its moments; None beside appended features,
            which have no names.
        label_names: of those of the label.

    Source: derived; the corrupted data of JEvRC, section 4, given the clean ones.
    """

    root: Float[Array, "m m"]
    mean: Float[Array, " m"]
    count: Float[Array, ""]
    features: int = eqx.field(static=True)
    appended: int = eqx.field(static=True, default=0)
    names: Names | None = eqx.field(static=True, default=None)
    label_names: Names | None = eqx.field(static=True, default=None)

    @classmethod
    @exact_products
    def from_pair(cls, pair: PairMoments | Views, appended: int = 0) -> "NoisyData":
        """Summarise clean data: `same_instance(data)`, or `with_label(data, labels)`.

        Args:
            pair: moments of n < inf rows.
            appended: q >= 0, number of irrelevant noise features behind x; 0 for noise on x.

        Raises:
            ValueError: a population, or a number of appended features below 0.
        """
        require_whole("appended", appended, 0)
        if is_concrete(pair.count) and not np.isfinite(float(pair.count)):
            raise ValueError(f"pair must be of a finite number of rows; got count {pair.count}.")
        if isinstance(pair, Views):
            S, mean, d = dense(pair.covariance), pair.mean, pair.mean.size
            names, label_names = pair.features, None
        else:  # the label's block too
            S, C, G = (dense(M) for M in (pair.first, pair.second, pair.cross))
            d, S = len(S), jnp.block([[S, G], [G.T, C]])
            mean = jnp.concatenate([pair.mean_first, pair.mean_second])
            names, label_names = pair.features_first, pair.features_second
        names = None if appended else names
        root = moment_root(pair.count * S)
        return cls(root, mean, pair.count, d, int(appended), names, label_names)

    def sample_moments(self, key: Key[Array, ""], noise: Moment) -> NoisyMoments:
        r"""Draw the moments of the n noisy rows, exactly, at a cost that n doesn't enter.

        Args:
            key: a random key.
            noise: $\Gamma$, (d,) for a diagonal, or (d, d); of the q appended features, if any,
                (q,) or (q, q).

        Returns:
            Moments, of d + q features. Noise of 0 gives the clean ones, so that one key
            compares the two.

        Raises:
            ValueError: noise of another size than what it is on.

        Source: derived (`noisy_moments`).
        """
        Gamma, q = as_float(noise), self.appended
        noisy, d = q or self.features, self.features + q
        if Gamma.shape not in ((noisy,), (noisy, noisy)):
            raise ValueError(f"noise must be ({noisy},) or ({noisy}, {noisy}); got {Gamma.shape}.")
        # Appended features are 0 on the clean rows, and first where the noise goes.
        root, centre = jnp.pad(self.root, ((0, 0), (q, 0))), jnp.pad(self.mean, (q, 0))
        S, mean = noisy_moments(key, root, centre, Gamma, self.count)
        if q:
            S, mean = self._in_order(self._in_order(S).T), self._in_order(mean)
        same = same_instance_moments(S[:d, :d], mean[:d], self.count).named(self.names)
        if d == S.shape[0]:
            return NoisyMoments(same, None)
        n = self.count
        label = PairMoments(S[:d, :d], S[d:, d:], S[:d, d:], mean[:d], mean[d:], n, n - 1)
        return NoisyMoments(same, label.named(self.names, self.label_names))

    def _in_order(self, rows: Array) -> Array:
        """Move the appended features from the front to behind x."""
        q = self.appended
        return jnp.concatenate([rows[q : q + self.features], rows[:q], rows[q + self.features :]])
