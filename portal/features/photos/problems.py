"""PhotoProblems: NotAPhoto."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class NotAPhoto(Problem):
    """The file is no picture, is broken, too small or too large."""

    code = "not-a-photo"
    status = 422
    title = N_("This file cannot be taken as a photo.")
    advice = N_(
        "Give a JPEG, PNG or WebP of at least 96 × 96 points and at most 8 MB. A picture from the phone's camera fits."
    )
