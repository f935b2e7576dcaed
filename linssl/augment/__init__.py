"""Augmentations: one file a family; each samples, and acts on moments."""

from linssl.augment.aligned import AlignedNoise as AlignedNoise
from linssl.augment.base import Augmentation as Augmentation
from linssl.augment.base import augment as augment
from linssl.augment.gaussian import GaussianNoise as GaussianNoise
