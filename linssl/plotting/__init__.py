"""One style, and the files of a figure."""

from linssl.plotting.output import write_figure as write_figure
from linssl.plotting.output import write_record as write_record
from linssl.plotting.output import write_table as write_table
from linssl.plotting.style import COLOURS as COLOURS
from linssl.plotting.style import LABELS as LABELS
from linssl.plotting.style import house_style as house_style
from linssl.plotting.style import new_figure as new_figure
from linssl.plotting.style import shades as shades
