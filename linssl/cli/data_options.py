"""Options that every command on data has: which rows, what tells of them, how they are prepared."""

import dataclasses
from typing import Annotated, Any, Literal

import tyro


@dataclasses.dataclass(frozen=True)
class DataOptions:
    """What a command reads. A command's own dataclass inherits from it."""

    data: Annotated[str, tyro.conf.Positional]
    """digits, the NAME of a file $LINSSL_DATA/NAME.npz, a .npy, .npz, .csv, .parquet, .h5ad,
    .h5, .zarr or .safetensors, or a folder of .png or .jpg pictures."""
    layer: str | None = None
    """Which part of DATA holds the rows: an array of an .npz; of an .h5ad X, raw, a layer,
    or obsm/NAME."""
    labels: str | None = None
    """A column of DATA (of an .npz, an array of one value a row), a file, or none; default:
    y or label in DATA, if any."""
    group: str | None = None
    """What rows belong together, such as a subject: a column of DATA, a file, or none;
    default: groups in DATA, if any."""
    numeric: bool = False
    """Whole-number labels are numbers to be predicted, not classes."""
    drop: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """A column of DATA to leave out. May be given several times."""
    impute: Literal["mean", "median"] | None = None
    """Missing values become the mean or the median of their column; default: refused."""
    standardise: bool = False
    """Give each feature mean 0 and variance 1."""
    image: str | None = None
    """Sides of an image as a row holds them, such as 28x28, 32x32x3 or 3x32x32; default:
    those of DATA; or of a row (n, d) a square, if it is one, which is noted."""
    channels: Literal["first", "last"] | None = None
    """Where the channels of images are; default: where only one side can be 1, 3 or 4."""
    seed: int = 0
    """Of what is drawn at random: the folds of samples."""

    def keywords(self) -> dict[str, Any]:
        """Return these as keywords of the function in Python, all but the data."""
        return {
            "labels": self.labels,
            "groups": self.group,
            "layer": self.layer,
            "numeric": self.numeric,
            "drop": self.drop,
            "impute": self.impute,
            "standardise": self.standardise,
            "image_shape": None if self.image is None else image_sides(self.image),
            "channels": self.channels,
            "seed": self.seed,
        }


def image_sides(text: str) -> list[int]:
    """Return the sides that a text such as 32x32x3 names, or raise."""
    try:
        return [int(side) for side in text.lower().split("x")]
    except ValueError:
        raise ValueError(f"image must be a shape such as 28x28 or 32x32x3; got {text!r}.") from None
