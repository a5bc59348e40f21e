"""FileProblems: FileUnreadable · ColumnsMissing · NothingInFile."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class FileUnreadable(Problem):
    """Neither XLSX nor CSV."""

    code = "file-unreadable"
    status = 422
    title = N_("This file could not be read.")
    advice = N_("Give an Excel workbook (.xlsx) or a CSV file. The template on this page opens in Excel.")


class ColumnsMissing(Problem):
    """The head does not fit."""

    code = "columns-missing"
    status = 422
    title = N_("Columns are missing in the file.")
    advice = N_("Missing: {columns}. The first line must name the columns as the template does.")


class NothingInFile(Problem):
    """No row."""

    code = "nothing-in-file"
    status = 422
    title = N_("There is nobody in this file.")
    advice = N_("Below the line with the names of the columns each line is one person.")
