"""Which of the national projects a request is about: the one its session is in. What belongs to a project is read by it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from portal.core.db import Connection

# Where a job or a command works that names none; also the project of all that is older than the choice of one.
PROJECT = "myn-bala"

_project: ContextVar[str] = ContextVar("project", default=PROJECT)


class Project(msgspec.Struct, frozen=True):
    """A national project."""

    code: str
    name: dict[str, str]


def project() -> str:
    """The project of this request."""
    return _project.get()


def enter(code: str) -> None:
    """Set the project for the rest of this request or job."""
    _project.set(code)


async def projects(db: Connection) -> list[Project]:
    """All, in their order."""
    rows = await db.fetch(
        """
        select code, jsonb_build_object('kk', name_kk, 'ru', name_ru, 'en', name_en) as name
        from project
        order by place, code
        """
    )
    return [Project(**row) for row in rows]
