"""ParticipantProblems: FileUnreadable · NothingInFile · NotChecked · AlreadyBegun · ImportInUse."""

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
    title = N_("There is no pupil in this file.")
    advice = N_("Below the line with the names of the columns each line is one pupil.")


class NotChecked(Problem):
    """Taking in what was not checked, or what had errors."""

    code = "import-not-checked"
    status = 409
    title = N_("This import is not ready to be taken in.")
    advice = N_("Correct the rows that are listed, and send the file again. Nothing was changed.")


class AlreadyBegun(Problem):
    """Undo after somebody signed in."""

    code = "import-in-use"
    status = 409
    title = N_("Pupils of this import have signed in already.")
    advice = N_("Nothing was changed. Lock the codes of pupils who are not to take part.")


class SittingOver(Problem):
    """No import into a closed sitting."""

    code = "sitting-closed-to-imports"
    status = 409
    title = N_("This sitting takes no more pupils.")
    advice = N_("Make another sitting for those who missed it.")


class RowsTaken(Problem):
    """Two imports with the same external ids at the same time."""

    code = "import-overlaps"
    status = 409
    title = N_("Some of these pupils were taken in by another import meanwhile.")
    advice = N_("Nothing was changed. Send the file again; the check will name the rows.")
