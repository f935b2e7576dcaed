"""The explorer as a marimo notebook: sliders, presets, panels and a verdict. `linssl explore`."""

import marimo

app = marimo.App(
    width="full", app_title="linssl explorer", css_file="style.css", html_head_file="head.html"
)


@app.cell
def _():
    import marimo as mo

    from linssl.explore import page, state
    from linssl.explore.code import as_python
    from linssl.explore.figure import shared_panels
    from linssl.explore.model import solve

    return as_python, mo, page, shared_panels, solve, state


@app.cell
def _(mo, page, shared_panels, state):
    # The query has no name of its own: setting it below must not run this cell again.
    opened, notes = state.from_query(mo.query_params().to_dict())
    get_view, set_view = mo.state(opened)
    panels, shown = shared_panels(), page.Shown(opened)
    return get_view, notes, opened, panels, set_view, shown


@app.cell
def _(opened, page, set_view):
    presets, reset = page.presets(opened, set_view)
    return presets, reset


@app.cell
def _(get_view, mo, page, panels):
    # Made anew when a preset or a click moves several of them at once.
    sliders = page.sliders(get_view())
    own = page.spectra(get_view())
    phases = mo.ui.matplotlib(panels.clickable(), debounce=True)
    return own, phases, sliders


@app.cell
def _(page, phases, set_view, shown):
    page.clicked(phases.value, shown, set_view)
    return


@app.cell
def _(own, page, presets, reset, sliders):
    page.controls(presets, reset, sliders, own)
    return


@app.cell
def _(own, page, shown, sliders, solve):
    view, wrong = page.read(sliders.value, own.value)
    numbers = solve(view)
    shown.view, shown.numbers = view, numbers
    return numbers, view, wrong


@app.cell
def _(notes, numbers, page, panels, phases, view, wrong):
    page.show(panels.draw(view, numbers), phases, view, numbers, [*notes, *wrong])
    return


@app.cell
def _(page, panels, shown):
    # What they give is made when they are clicked.
    page.downloads(
        lambda: panels.png(shown.view, shown.numbers),
        lambda: page.as_csv(shown.view, shown.numbers),
    )
    return


@app.cell
def _(as_python, mo, page, view):
    page.write_address(mo.query_params(), view)
    page.program(as_python(view))
    return


if __name__ == "__main__":
    app.run()
