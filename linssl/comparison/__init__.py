"""Codes side by side: those of all objectives on one problem, and a trained network's."""

from linssl.comparison.codes import CodesBeside as CodesBeside
from linssl.comparison.codes import compare_codes as compare_codes
from linssl.comparison.objectives import OBJECTIVES as OBJECTIVES
from linssl.comparison.objectives import compare as compare
from linssl.comparison.objectives import elbo_beside as elbo_beside

__all__ = ["OBJECTIVES", "CodesBeside", "compare", "compare_codes"]
