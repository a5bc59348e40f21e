"""Cells that are safe to open in a spreadsheet (SAFETY J10), and read back unchanged."""

from __future__ import annotations

import re

# A spreadsheet takes a cell that begins so for a formula or a command. A cell that begins with quotes and
# then so is guarded too: else taking the guard off could not tell «'=1» from «=1».
DANGEROUS = re.compile(r"'*[=+\-@\t\r\0]")


def guarded(text: str) -> str:
    """The text with a leading ' if a spreadsheet would run it."""
    return f"'{text}" if DANGEROUS.match(text) else text


def unguarded(cell: str) -> str:
    """What `guarded` was given: the importer's side."""
    return cell[1:] if cell.startswith("'") and DANGEROUS.match(cell[1:]) else cell
