"""How commands on data give their report."""

import dataclasses
import os
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True)
class ReportOptions:
    """Options of commands that report. A command's own dataclass inherits from it."""

    json: bool = False
    """Print JSON instead of words."""
    html: Path | None = None
    """Write a report with figures to this file too."""

    def require_writable(self) -> None:
        """Raise before the work, where the page can't be written after it."""
        html = self.html
        if html is None:
            return
        folder = html.absolute().parent
        if not folder.is_dir():
            raise ValueError(f"html must be in a folder that exists; got {html}.")
        if html.is_dir():
            raise ValueError(f"html must be a file to be written; {html} is a folder.")
        if not os.access(html if html.exists() else folder, os.W_OK):
            raise ValueError(f"html must be a file that can be written; {html} can't be.")

    def show(self, found: Any) -> None:
        """Print a report; the page comes last: if it can't be written, the words are there."""
        from linssl.runtime.terminal import console

        if self.json:
            print(found.to_json())
        else:
            console().print(found)
        if self.html is not None:
            self.html.write_text(found.to_html(), encoding="utf-8")
            if not self.json:
                print(f"Report with figures: {self.html}")
