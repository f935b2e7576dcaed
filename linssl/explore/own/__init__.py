"""The explorer of data of your own: families, strengths, numbers of codes and of rows."""
