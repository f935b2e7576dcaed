"""A recommendation as people read it: in a terminal, and as a page."""
