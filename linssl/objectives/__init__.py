"""Objectives: one closed form a file; each reads a `PairMoments` and gives a `Solution`."""

from linssl.objectives.adassl import AdaSSL as AdaSSL
from linssl.objectives.adassl import adassl as adassl
from linssl.objectives.canonical_correlation import (
    canonical_correlation as canonical_correlation,
)
from linssl.objectives.joint_embedding import joint_embedding as joint_embedding
from linssl.objectives.reconstruction import reconstruction as reconstruction
from linssl.objectives.reconstruction import supervised as supervised
from linssl.objectives.solution import NumericalTroubleError as NumericalTroubleError
from linssl.objectives.solution import Solution as Solution
from linssl.objectives.solution import Status as Status
from linssl.objectives.solution import check as check
from linssl.objectives.solution import explain as explain
