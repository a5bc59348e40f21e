"""ParticipantProblems: NotChecked · AlreadyBegun · SittingOver · RowsTaken."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


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
