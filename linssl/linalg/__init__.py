"""Linear algebra of second moments: structure, status, averages, whitening, pencils, roots."""

from linssl.linalg.pencil import projector as projector
from linssl.linalg.status import Status as Status
