r"""Views that were called, centred by batch: sums of one pass, as no view comes twice.

Of an instance i in batch g, let $z_i$ be the mean of its V views beside the clean instance. Views
are of the batch's mean and of what varies within, $\mathrm{Cov}(z_i) = Z_g$, with
$G_w + \Sigma/V$ as its first block. So

$$ E (z_i - \bar z_g)(z_i - \bar z_g)^T = (1 - 1/n_g)\, Z_g, \qquad
   \sum_i s_g^2 (z_i - \bar z_g)(z_i - \bar z_g)^T / n = \sum_g \pi_g \hat Z_g, \qquad
   s_g^2 = \frac{n_g}{n_g - 1} \frac{n}{n'} $$

with n' instances in batches of two or more: taken out of G is the covariance of means of batches
less $(G_w + \Sigma/V)/n_g$. What the views of one instance differ in, Σ, no batch's mean enters.
The means are known at the end alone, so that sums about a point of each batch are moved then: over
part p, with sums $P_g$ and $Q = \sum s_g^2 z z^T$ about it,

$$ Q - \sum_g s_g^2 (P_g \bar z_g^T + \bar z_g P_g^T - n_{pg} \bar z_g \bar z_g^T) $$
"""

import numpy as np

from linssl.moments import PairMoments, Views
from linssl.pairs.centring import Batches, sums_by


class CentredSums:
    """Sums of instances by part and by batch, each about the first of its batch.

    Args:
        batches: of all instances, without a memory.
        parts: how many there are.
    """

    def __init__(self, batches: Batches, parts: int):
        self.batches, self.parts = batches, parts
        self.seen = np.zeros(len(batches.sizes), bool)

    def add(self, part: int, numbers: np.ndarray, z: np.ndarray) -> None:
        """Add instances of a part.

        Args:
            part: by number.
            numbers: of instances, (m,).
            z: means of their views beside the clean ones, (m, D).
        """
        of, K = self.batches.index[numbers], len(self.seen)
        if not self.seen.any():
            self.point = np.zeros((K, z.shape[1]))
            self.sizes = np.zeros((self.parts, K))
            self.sums = np.zeros((self.parts, K, z.shape[1]))
            self.squares = np.zeros((self.parts, z.shape[1], z.shape[1]))
        new, at = np.unique(of, return_index=True)
        at, new = at[~self.seen[new]], new[~self.seen[new]]
        self.point[new], self.seen[new] = z[at], True
        z = z - self.point[of]
        self.sizes[part] += np.bincount(of, minlength=K)
        self.sums[part] += sums_by(of, z, K)
        self.squares[part] += (z.T * self.batches.weights[of]) @ z

    def centred(
        self, part: int, views: Views, clean: PairMoments, about: np.ndarray
    ) -> tuple[Views, PairMoments]:
        """Return both pairs of a part centred by batch; `unbiased` they are already.

        Args:
            part: by number.
            views: of that part, centred by nothing.
            clean: of that part, centred by nothing.
            about: what z was taken about, (D,).

        Source: derived (method of moments).
        """
        assert views.group_size is not None
        d, n, w = len(views.mean), float(views.count), self.batches.weights
        sizes, P = self.sizes[part], self.sums[part]
        m = self.sums.sum(0) / self.batches.sizes[:, None]
        moved = (P.T * w) @ m
        square = self.squares[part] - moved - moved.T + (m.T * (w * sizes)) @ m
        first = np.sqrt(w) @ (P - sizes[:, None] * m) / n
        C = square / n - np.outer(first, first)
        C = (C + C.T) / 2
        mean = about + self.batches.sizes / len(self.batches.index) @ (self.point + m) + first
        spread = np.asarray(views.spread)
        G = C[:d, :d] - spread / views.group_size
        found = Views(G, spread, mean[:d], n, views.draws, group_size=views.group_size)
        means = mean[:d], mean[d:]
        return found, PairMoments(G + spread, C[d:, d:], C[:d, d:], *means, n, clean.draws)
