"""Linear algebra of second moments: structure, status, whitening, averages."""

from linssl.linalg.projector import projector as projector
from linssl.linalg.status import Status as Status
