"""Inverse design: from what is to be kept to the weakest augmentation that keeps it."""

from linssl.designs.design import Design as Design
from linssl.designs.design import design as design
from linssl.designs.families import AlignmentFamily as AlignmentFamily
from linssl.designs.families import DesignFamily as DesignFamily
from linssl.designs.families import DropoutFamily as DropoutFamily
from linssl.designs.families import MixtureFamily as MixtureFamily
from linssl.designs.families import NoiseFamily as NoiseFamily
from linssl.linalg.pencil import projector as projector
