"""The result: what is recommended, and every number behind it, as text, as JSON and as a page."""

import dataclasses
from typing import Any

import numpy as np

from linssl.arguments import Numbers, on_host
from linssl.diagnosis.render.record import as_json
from linssl.linalg.averages import as_dense
from linssl.recommendation.facts import Facts


@dataclasses.dataclass(frozen=True)
class Recommendation(Facts):
    """Which paradigm, augmentation, strength and number of codes suit a task, and how sure that is.

    Print it; call it on rows (n, d) for the codes that it recommends, learnt from all samples.

    Args:
        answer: "joint_embedding", "reconstruction", "either", "undecided"; "unranked" without
            labels.
        reason: why, in words.
        next_steps: what to do next.
        notes: what was found in the data, and done about it.
        recommended: the setting; None without labels.
        table: the best of each paradigm and family, best first.
        best: the best of each paradigm, by its name.
        lead: by how much joint embedding's best is ahead of reconstruction's.
        lead_error: one standard error, on the same rows.
        samples_to_decide: about how many would settle what is undecided, else None.
        curves: against strength.
        by_dim: the recommended family and strength against the number of codes: (k, value, error).
        nuisance: what is told of it before and after; None where none is named.
        learning: whether samples are enough; None without labels.
        reduction: what reducing features cost; None where none was needed.
        shaken: what each augmentation calls irrelevant.
        all_features: what a probe on all features scores, or on the directions kept of them.
        all_features_error: one standard error.
        chance: what a probe on nothing scores.
        metric: "accuracy" or "R²".
        samples: n.
        features: d.
        kind: "table", "embeddings" or "images".
        labels: what they are.
        seed: of the folds.
        versions: of the packages.
        encoder: (k, d), and None without labels.
        mean: (d,), which is subtracted first.
    """

    def __call__(self, data: Numbers) -> np.ndarray:
        r"""Return codes $W (x - \mu)$ of rows, (n, k); images as they came to `recommend`.

        Raises:
            ValueError: no labels, so that nothing is recommended, or rows of another size.
        """
        if self.encoder is None or self.mean is None:
            raise ValueError("labels must be given for a setting to be recommended; got none.")
        X = as_dense(on_host(data, "data"))
        rows = X.reshape(len(X), -1)
        if rows.shape[1] != self.encoder.shape[1]:
            raise ValueError(
                f"data must be rows of {self.encoder.shape[1]} features; got {X.shape}."
            )
        return (rows - self.mean) @ self.encoder.T

    def to_json(self) -> str:
        """Return all fields as JSON but the encoder and mean.

        Numbers have 6 digits; what isn't finite is null.
        """
        kept = dataclasses.replace(self, encoder=None, mean=None)
        record = dataclasses.asdict(kept)
        record.pop("encoder")
        record.pop("mean")
        return as_json(record)

    def to_html(self) -> str:
        """Return a self-contained page: figures inside, no request to anywhere."""
        from linssl.recommendation.render.page import page  # matplotlib, which text does without

        return page(self)

    def __rich__(self) -> Any:
        from linssl.recommendation.render.terminal import renderable  # rich, which few need

        return renderable(self)

    def __str__(self) -> str:
        from linssl.diagnosis.render.terminal import as_text  # rich, which few need

        return as_text(self)
