"""Subcommands of infra: `migrate` (and, in `infra.up`, `up`; in `infra.doctor`, `doctor`)."""

from __future__ import annotations

import asyncio

from infra.local import adopt
from infra.migrate import migrate as run
from infra.settings import OwnerSettings, read


def migrate() -> None:
    """Bring the database to the newest schema (waits if another does so already)."""
    adopt("owner")
    settings = read(OwnerSettings)
    applied = asyncio.run(run(settings.owner_database_url, settings.role_passwords))
    print("\n".join(f"applied {name}" for name in applied) or "The schema is up to date.")  # noqa: T201
