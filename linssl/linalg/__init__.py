"""Linear algebra that objectives, design and diagnosis share: pencils and roots."""

from linssl.linalg.pencil import projector as projector
