"""Write your own augmentation: two methods, and a check of one against the other.

Sensors whose gains drift: every view multiplies every feature by a factor of its own, 1 + s e with
e ~ N(0, 1). Then a view that isn't linear at all, which is estimated by calling it.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import linssl


class SensorGain(linssl.Augmentation):
    """Scales each feature by a gain of its own: tau(x) = (1 + s e) * x."""

    drift: jax.Array = eqx.field(converter=jnp.asarray)  # s: an array can be swept

    def sample(self, key, x):
        """Draw one view of each row: the simulator."""
        return x * (1 + self.drift * jax.random.normal(key, x.shape, x.dtype))

    def effect(self, covariance, mean):
        """Give Sigma = E[Cov(tau(x) | x)] = s^2 diag E[x_i^2]: the theory. E[tau(x) | x] = x."""
        variances = covariance if covariance.ndim == 1 else jnp.diagonal(covariance)
        return linssl.augmentations.Effect(spread=self.drift**2 * (variances + mean**2))


with jax.enable_x64(True):
    data = linssl.load_dataset("digits")
    X, gain = data.X_train, SensorGain(0.5)

    # 1. Does the theory say what the simulator does? Variances over 30 views of every image.
    views, keys = linssl.two_views(X, gain), jax.random.split(jax.random.key(0), 30)
    sampled = np.stack([np.square(gain.sample(key, X) - views.mean).mean(0) for key in keys])
    exact = np.diagonal(views.covariance)
    error = np.maximum(sampled.std(0, ddof=1) / np.sqrt(len(keys)), 1e-12)
    worst = np.max(np.abs(sampled.mean(0) - exact) / error)
    print(f"worst of {exact.size} features: {worst:.1f} standard errors")

    # 2. It is an augmentation like any other. Pixels that never vary need a little noise below.
    view = linssl.compose(gain, linssl.GaussianNoise(np.full(64, 0.01)))
    linear = linssl.check(linssl.joint_embedding(linssl.two_views(X, view), 9))
    accuracy = linssl.metrics.probe_accuracy(
        linear.encoder, X, data.y_train, data.X_test, data.y_test
    )
    print(f"a linear probe on 9 dimensions tells {accuracy:.0%} of the digits")

    # 3. A black box: saturation isn't linear. Call it, and ask how much of the answer is chance.
    def saturated(key, x):
        """Drifting gains, a sensor that ends at 0.8, and a little noise."""
        gains, noise = jax.random.normal(key, (2, *x.shape))
        return jnp.minimum(x * (1 + 0.5 * gains), 0.8) + 0.1 * noise

    estimate = linssl.pairs.estimate_pair(saturated, X, views_per_sample=16, key=jax.random.key(1))
    solution = linssl.joint_embedding(estimate.views, 9)
    chance = estimate.subspace_error(linssl.joint_embedding, 9)
    print(f"saturated: {chance:.1%} of the subspace is chance, and", end=" ")
    moved = float(linssl.subspace_distance(solution.encoder, linear.encoder))
    print(f"{moved:.0%} of it is not in that of the linear view")
