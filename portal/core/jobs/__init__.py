"""Long work: a row that a person watches, a SAQ queue that does it, a worker that survives a crash of both."""

from __future__ import annotations

from portal.core.jobs.rows import Job, ask, find, recent
from portal.core.jobs.worker import Context, Work

__all__ = ["Context", "Job", "Work", "ask", "find", "recent"]
