"""StaffProblems: LastKeyholder."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class LastKeyholder(Problem):
    """The act would leave nobody who can give roles."""

    code = "last-keyholder"
    status = 409
    title = N_("Then nobody could give roles any more.")
    advice = N_("Nothing was changed. First give another person the right to change roles.")
