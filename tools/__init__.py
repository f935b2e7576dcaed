"""What makes the site and keeps the figures; no part of the library."""
