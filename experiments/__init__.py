"""One script per figure: `solve` makes its tables, `draw` reads them; `shared` joins the two."""
