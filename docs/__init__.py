"""The documentation: pages, tutorials, figures, and what builds and checks them."""
