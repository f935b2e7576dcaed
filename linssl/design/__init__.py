"""Inverse design: from what is to be kept to the weakest augmentation that keeps it."""

from linssl.design.families import AlignmentFamily as AlignmentFamily
from linssl.design.families import DesignFamily as DesignFamily
from linssl.design.families import DropoutFamily as DropoutFamily
from linssl.design.families import MixtureFamily as MixtureFamily
from linssl.design.families import NoiseFamily as NoiseFamily
from linssl.design.front import Design as Design
from linssl.design.front import design as design
from linssl.linalg.pencil import projector as projector
