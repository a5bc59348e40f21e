"""PortfolioProblems: NotADocument · PortfolioFull."""

from __future__ import annotations

from portal.core.i18n import N_
from portal.core.problems import Problem


class NotADocument(Problem):
    """By its content the file is none that we take."""

    code = "not-a-document"
    status = 422
    title = N_("This file cannot be taken into the portfolio.")
    advice = N_(
        "Give a PDF, JPEG, PNG or WebP of at most 10 MB. What a file is we see by its content, not by its name."
    )


class PortfolioFull(Problem):
    """One person's documents are bounded."""

    code = "portfolio-full"
    status = 409
    title = N_("This portfolio is full.")
    advice = N_("A portfolio holds {most} documents. Remove one that is no longer needed.")
