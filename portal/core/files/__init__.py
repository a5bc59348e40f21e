"""Tables out of the portal and into it: CSV and XLSX that no spreadsheet takes for a formula (SAFETY J10)."""

from __future__ import annotations

from portal.core.files.fonts import register_fonts
from portal.core.files.tables import Table, as_csv, as_xlsx, download

__all__ = ["Table", "as_csv", "as_xlsx", "download", "register_fonts"]
