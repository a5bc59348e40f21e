"""PersonProblems: NotReady · TooMany · TooManyAtOnce · FileErased · MergedAlready · CannotUndo."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class NotReady(Problem):
    """Taking in what was not checked, or what was taken in already."""

    code = "persons-import-not-ready"
    status = 409
    title = N_("This list is not ready to be taken in.")
    advice = N_("Nothing was changed. It may have been taken in or dropped already; send the file again if need be.")


class TooMany(Problem):
    """An export beyond what one file holds."""

    code = "persons-too-many"
    status = 422
    title = N_("These are too many persons for one file.")
    advice = N_("One file holds at most {most}. Narrow the filter, by region or district for example.")


class TooManyAtOnce(Problem):
    """A change of all of a filter that holds very many."""

    code = "persons-too-many-at-once"
    status = 422
    title = N_("These are too many persons to change at once.")
    advice = N_("Nothing was changed. At most {most} are changed at once; narrow the filter.")


class FileErased(Problem):
    """An export after its seven days."""

    code = "persons-file-erased"
    status = 410
    title = N_("This file has been erased.")
    advice = N_("Lists are kept for seven days. Make it anew if it is still needed.")


class MergedAlready(Problem):
    """A merge of what is merged."""

    code = "persons-merged-already"
    status = 409
    title = N_("One of these two has been merged meanwhile.")
    advice = N_("Nothing was changed. Look at the list of duplicates again.")


class CannotUndo(Problem):
    """An undo of what was undone, or of a merge beneath another."""

    code = "persons-cannot-undo"
    status = 409
    title = N_("This merge cannot be undone now.")
    advice = N_("Nothing was changed. It was undone already, or a later merge has to be undone first.")
