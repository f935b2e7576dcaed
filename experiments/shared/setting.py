"""The scale-free setting of the 2 x 3 figure: variances in units of the weakest signal's."""

BASE_SIGNAL, BASE_NOISE = 0.6, 0.006
NOISE_LABEL = r"noise variance $\gamma / \lambda_k$"
NOISE_RANGES = {"weak": (0.06, 0.3), "strong": (6.0, 30.0)}
