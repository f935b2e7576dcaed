"""A view as a program: a few lines of Python that compute what the page says, from public names."""

from linssl.explore.model import spectra
from linssl.explore.state import View

TEMPLATE = """\
import jax
import linssl

data = linssl.populations.Spiked({signal}, {noise})
augmentation = data.aligned({base}, alpha={alpha})
limit = {limit}  # infinitely many pairs
{lost}for views in {views}:
    je = linssl.joint_embedding(linssl.two_views(views, augmentation), {dim})
    rc = linssl.reconstruction(linssl.view_and_clean(views, augmentation), {dim})
    print("lost (JE, RC):", lost(je.encoder), lost(rc.encoder))
"""
ALIKE = "linssl.pairs.same_instance_population(data.covariance)"
CLASSES = (
    "linssl.pairs.SemanticPairs.population(\n"
    "    data.clean_covariance, data.noise_covariance\n).pair({p}, {q})"
)
DRAWN = "drawn = data.sample_moments(jax.random.key(0), {n}).corrupted  # {n:,} of them\n"
LOST = "lost = lambda encoder: linssl.subspace_distance(encoder, range({dim}))\n"
# With room to spare codes needn't span the signal alone: a probe reads its axes.
LOST_WIDE = """\
I, o, oo = jax.numpy.eye({d}), jax.numpy.zeros({d}), jax.numpy.inf
signal = linssl.PairMoments(I, I[:{K}, :{K}], I[:, :{K}], o, o[:{K}], oo, oo)
lost = lambda encoder: 1 - linssl.probe_r2(encoder, signal)
"""
THRESHOLDS = """\
t = linssl.theory.pairing_thresholds({kept}, {met}, {base_signal}, {base_noise}, {p}, {q})
print("keeps the signal for alpha above (JE, RC):", t.joint_embedding, t.reconstruction)
"""
HINT = """\
hint = linssl.theory.water_filling(1 - je.spectrum**2, {beta})
print("weights with the hint:", hint.weight)
"""


def as_python(view: View) -> str:
    """Write a program that computes what a view shows, and prints it.

    It samples n pairs once, where the page has the mean of several draws, and only where both views
    are of one instance.
    """
    signal, noise = ([float(f"{v:.10g}") for v in values] for values in spectra(view))
    K, Q = view.signals, view.noises
    k = min(view.dim, K + Q)
    sampled = view.fraction == 0
    limit = ALIKE if sampled else CLASSES.format(p=view.fraction, q=view.mislabelled)
    lost = LOST_WIDE.format(d=K + Q, K=K) if k > K else LOST.format(dim=k)
    code = TEMPLATE.format(
        signal=signal,
        noise=noise,
        base=f"{K} * [{view.base_signal}] + {Q} * [{view.base_noise}]",
        alpha=view.alpha,
        limit=limit,
        lost=(DRAWN.format(n=view.n) if sampled else "") + lost,
        views="(drawn, limit)" if sampled else "(limit,)",
        dim=k,
    )
    if view.dim < K + Q:  # else nothing can be lost, and there is no threshold
        code += THRESHOLDS.format(
            kept="data.signal" if k >= K else f"data.signal[:{k}]",
            met="data.noise" if k <= K else f"data.noise[{k - K}:]",
            base_signal=view.base_signal,
            base_noise=view.base_noise,
            p=view.fraction,
            q=view.mislabelled,
        )
    return code + (HINT.format(beta=view.beta) if view.beta < 1 else "")
