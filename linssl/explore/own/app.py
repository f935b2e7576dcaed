"""The explorer of data as a marimo notebook. `linssl explore DATA`."""

import marimo

app = marimo.App(
    width="full",
    app_title="linssl explorer",
    css_file="../style.css",
    html_head_file="../head.html",
)


@app.cell
def _():
    import marimo as mo

    from linssl.explore import page as shared
    from linssl.explore.own import page, state
    from linssl.explore.own.code import as_python

    return as_python, mo, page, shared, state


@app.cell
def _(mo, page, shared, state):
    explorer, panels = page.current()
    ready = explorer.ready
    # The query has no name of its own: setting it below must not run this cell again.
    opened, notes = state.from_query(mo.query_params().to_dict(), ready)
    get_view, set_view = mo.state(opened)
    shown = shared.Shown(opened)
    return explorer, get_view, notes, opened, panels, ready, set_view, shown


@app.cell
def _(get_view, page, ready):
    family = page.family(get_view(), ready)
    dim, n = page.sizes(get_view(), ready)
    return dim, family, n


@app.cell
def _(family, get_view, page, ready):
    # Each augmentation has strengths of its own.
    strength = page.strength(family.value, get_view(), ready)
    return (strength,)


@app.cell
def _(dim, family, mo, n, opened, page, set_view, strength):
    reset = mo.ui.button(label="Reset", on_click=lambda _: set_view(opened))
    page.controls(family, strength, dim, n, reset)
    return


@app.cell
def _(dim, explorer, family, n, shown, state, strength):
    view = state.View(family.value, strength.value, dim.value, n.value)
    numbers = explorer.solve(view)
    shown.view, shown.numbers = view, numbers
    return numbers, view


@app.cell
def _(notes, numbers, page, panels, ready, view):
    page.show(panels.draw(view, numbers), view, numbers, ready, notes)
    return


@app.cell
def _(page, panels, ready, shared, shown):
    # What they give is made when they are clicked.
    shared.downloads(
        lambda: panels.png(shown.view, shown.numbers),
        lambda: page.as_csv(shown.view, shown.numbers, ready),
    )
    return


@app.cell
def _(as_python, mo, ready, shared, state, view):
    shared.set_address(mo.query_params(), state.to_query(view, ready))
    shared.program(as_python(view, ready))
    return


if __name__ == "__main__":
    app.run()
