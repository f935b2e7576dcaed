"""Views worth starting from: one for each figure that the model can show, one for each regime."""

from typing import Any, NamedTuple

from linssl.explore.state import View


class Preset(NamedTuple):
    """A view, and what to look at."""

    view: View
    about: str


# In place of ten components of real images, a spectrum that falls about as theirs does.
_IMAGES: dict[str, Any] = {
    "signals": 10, "signal_variance": 10.0, "signal_decay": 2.0, "noises": 10, "dim": 10,
}  # fmt: skip
_CLASSES: dict[str, Any] = {
    "signals": 4, "signal_variance": 1.0, "noises": 8, "noise_variance": 20.0,
    "noise_spread": 0.3, "base_noise": 0.1, "dim": 4, "n": 2000,
}  # fmt: skip

FIGURES = {
    "sample_size, weak noise": Preset(
        View(**_IMAGES, noise_variance=0.3, alpha=1.0, n=1000),
        "Move n and α: reconstruction converges at every α, joint embedding above its threshold.",
    ),
    "sample_size, strong noise": Preset(
        View(**_IMAGES, noise_variance=30.0, alpha=1.0, n=1000),
        "Move n and α: joint embedding converges, reconstruction needs much more alignment.",
    ),
    "alignment_threshold": Preset(
        View(**dict(_IMAGES, noises=8), noise_variance=1.0, alpha=0.8, n=100_000),
        "Move the noise's largest variance: the thresholds cross where noise is as strong as "
        "the weakest signal.",
    ),
    "phase_diagram": Preset(
        View(**_IMAGES, noise_variance=10.0, noise_spread=1.0, alpha=1.0, n=1000),
        "All noise variances are equal. Move the point through the four regions.",
    ),
    "corruptions": Preset(
        View(**dict(_IMAGES, noises=3), noise_variance=50.0, noise_spread=1.0, alpha=1.0, n=2000),
        "A background is noise on few directions, and strong. More severe is further right.",
    ),
    "semantic_pairs": Preset(
        View(**_CLASSES, alpha=0.0, fraction=0.5),
        "Move p and q: pairs of a class do what alignment does; mislabelled ones do it less.",
    ),
    "one_to_many": Preset(
        View(signals=6, signal_variance=20.0, signal_decay=3.0, noise_variance=0.1, alpha=1.0,
             dim=4, n=100_000, beta=0.35),
        "Move β: the latent r lifts the weight of uncertain directions, and what k drops "
        "stays dropped.",
    ),
}  # fmt: skip
REGIMES = {
    "Both keep the signal": Preset(
        View(noise_variance=2.0, alpha=2.0, n=10_000),
        "Enough alignment for both. Lower α to lose them, one after the other.",
    ),
    "Only joint embedding": Preset(
        View(noise_variance=6.0, alpha=1.0, n=10_000),
        "Strong noise: reconstruction spends its dimensions on it.",
    ),
    "Only reconstruction": Preset(
        View(noise_variance=0.3, alpha=0.2, n=10_000),
        "Weak noise that views share: joint embedding takes it for signal.",
    ),
    "Neither keeps the signal": Preset(
        View(noise_variance=6.0, alpha=0.2, n=10_000),
        "Strong noise and little alignment.",
    ),
    "Too few pairs": Preset(
        View(noise_variance=6.0, alpha=0.8, n=20),
        "Above its threshold joint embedding needs pairs all the same. Raise n.",
    ),
    "Class pairs rescue": Preset(
        View(**_CLASSES, alpha=0.0, fraction=0.95),
        "No alignment at all: the noise of two instances of a class differs. Lower p.",
    ),
    "Mislabelled class pairs": Preset(
        View(**_CLASSES, alpha=0.0, fraction=0.95, mislabelled=0.8),
        "The same, but most class pairs join two classes. Lower q.",
    ),
    "A larger embedding rescues": Preset(
        View(noises=2, noise_variance=6.0, alpha=0.2, dim=7, n=10_000),
        "Seven dimensions hold five signals and both noise directions. Lower k.",
    ),
    "A smaller embedding is safer": Preset(
        View(signal_variance=20.0, signal_decay=2.0, noise_variance=3.0, alpha=0.4, dim=2,
             n=10_000),
        "Two dimensions ask for the two strongest signals only. Raise k.",
    ),
    "AdaSSL lifts uncertain signals": Preset(
        View(signal_variance=10.0, noise_variance=1.0, base_signal=2.0, alpha=2.0, n=10_000,
             beta=0.2),
        "Lower β: r is cheaper, tells more, and every direction weighs more.",
    ),
}  # fmt: skip
PRESETS = {f"Figure: {name}": preset for name, preset in FIGURES.items()} | {
    f"Regime: {name}": preset for name, preset in REGIMES.items()
}
