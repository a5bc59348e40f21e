"""Looking inside a workbook, as a spreadsheet would read it."""

from __future__ import annotations

import io
import re
import zipfile


def require_plain(body: bytes) -> None:
    """Typed strings only: no formula, no link, nothing that a spreadsheet would run or fetch (SAFETY J10)."""
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        for name in book.namelist():
            text = book.read(name).decode()
            assert not re.search(r"<(?:\w+:)?f[ >/]", text), f"a formula in {name}"
            assert "<hyperlink" not in text, f"a link in {name}"
            assert 'TargetMode="External"' not in text, f"something outside in {name}"
            assert not re.search(r"externalLink|oleObject|vbaProject", name), name
