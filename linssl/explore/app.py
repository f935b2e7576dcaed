"""The explorer as a marimo notebook: sliders, presets, panels and a verdict. `linssl explore`."""

import marimo

app = marimo.App(
    width="full", app_title="linssl explore", css_file="style.css", html_head_file="head.html"
)


@app.cell
def _():
    import marimo as mo

    from linssl.explore import page, state
    from linssl.explore.code import as_python
    from linssl.explore.figure import Panels
    from linssl.explore.model import solve

    return Panels, as_python, mo, page, solve, state


@app.cell
def _(Panels, mo, state):
    # The query has no name of its own: setting it below must not run this cell again.
    opened, notes = state.from_query(mo.query_params().to_dict())
    get_view, set_view = mo.state(opened)
    panels = Panels()
    return get_view, notes, opened, panels, set_view


@app.cell
def _(opened, page, set_view):
    presets, reset = page.presets(opened, set_view)
    return presets, reset


@app.cell
def _(get_view, page):
    # Made anew when a preset moves all of them at once.
    sliders = page.sliders(get_view())
    return (sliders,)


@app.cell
def _(page, presets, reset, sliders):
    page.controls(presets, reset, sliders)
    return


@app.cell
def _(sliders, solve, state):
    view = state.View(**sliders.value)
    numbers = solve(view)
    return numbers, view


@app.cell
def _(notes, numbers, page, panels, view):
    page.show(panels.draw(view, numbers), view, numbers, notes)
    return


@app.cell
def _(page, panels, sliders, solve, state):
    # What they give is made when they are clicked.
    page.downloads(panels, lambda: (now := state.View(**sliders.value), solve(now)))
    return


@app.cell
def _(as_python, mo, page, view):
    page.write_address(mo.query_params(), view)
    page.program(as_python(view))
    return


if __name__ == "__main__":
    app.run()
