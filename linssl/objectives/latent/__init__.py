"""Groups of views with a latent code: their channels, exact directions, EM, and where it starts."""
