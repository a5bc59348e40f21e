"""StaffProblems: LastKeyholder, NotTheGiver."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class LastKeyholder(Problem):
    """The act would leave nobody who can give roles."""

    code = "last-keyholder"
    status = 409
    title = N_("Then nobody could give roles any more.")
    advice = N_("Nothing was changed. First give another person the right to change roles.")


class NotTheGiver(Problem):
    """SAFETY P1: a grant is renewed by its giver."""

    code = "not-the-giver"
    status = 403
    title = N_("This role is renewed by whoever gave it.")
    advice = N_(
        "Nothing was changed. Nobody renews his own roles; if the giver has left or gives no roles any more, "
        "another person with the right to give roles renews it."
    )
