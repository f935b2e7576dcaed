"""The documentation's site: what builds it from the pages in docs/, and what checks it."""
