"""What makes no comparison, and the words that say so."""

import numpy as np
import pytest

import linssl
from linssl import compare
from linssl.populations import Problem, content_style

CONTENT, STYLE, NOISE = (4.0, 1.5), (2.0, 0.8, 0.5), 0.3
PROBLEM = content_style(CONTENT, STYLE, NOISE, group_size=3)
SINGLE = content_style([2.0, 1.0], [1.0], 0.1, group_size=1)
ONE = np.ones((1, 1))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: compare(PROBLEM, "jepa"), r"objectives must be some of .*got \['jepa'\]"),
        (lambda: compare(PROBLEM, []), r"objectives must be some of .*got \[\]"),
        (lambda: compare(PROBLEM, dims=[]), r"dims must be whole numbers >= 1.*got \[\]"),
        (lambda: compare(PROBLEM, dims=[0]), r"dims must be whole numbers >= 1.*got \[0\]"),
        (lambda: compare(PROBLEM, "pca", dims=[6]), "dim must be between 1 and 5"),
        (lambda: content_style([1.0], [-1.0], 0.1), "style must hold variances >= 0; got -1"),
        (lambda: content_style(1.0, [1.0], 0.1), r"content must be 1-D.*got \(\)"),
        (lambda: content_style([1.0], [1.0], [0.1]), r"noise must be a scalar or \(2,\).*\(1,\)"),
        (lambda: content_style([1.0], [], 0.1), r"style must be 1-D.*at least one; got \(0,\)"),
        (lambda: content_style([1.0], [1.0], 0.1, group_size=0), "group_size must be a whole"),
        (lambda: content_style([1.0], [1.0], 0.1, group_size=True), "group_size must be.*got True"),
        (lambda: Problem(PROBLEM.views, PROBLEM.to_clean, {}), "targets must be pairs by name"),
        (lambda: compare(PROBLEM, dims=[True]), "dims must be whole numbers.*got .True"),
        (lambda: compare(PROBLEM, dims=[2, 2]), "dims must be.*each once"),
        (lambda: compare(PROBLEM, {}), "objectives must name functions, at least one; got none"),
        (lambda: compare(PROBLEM, ["pca", "pca"]), "objectives must be some of.*once"),
        (lambda: compare(SINGLE, "simvae"), "simvae needs a problem with group_size >= 2; got 1"),
        (lambda: compare(PROBLEM, {"none": lambda p, k: None}), "none must return a Solution"),
        (lambda: compare(PROBLEM, {"big": lambda p, k: linssl.joint_embedding(p.views, 3)}, [2]),
         r"big must return one solution with an encoder \(2, 5\) for dim 2; got.*\(3, 5\)"),
        (
            lambda: Problem(PROBLEM.views, PROBLEM.to_clean, {"y": linssl.with_label(ONE, ONE)}),
            "y must start from a view of 5 features; got 1",
        ),
    ],
)  # fmt: skip
def test_what_makes_no_comparison_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()
