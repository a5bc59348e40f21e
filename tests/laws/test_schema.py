"""What all migrations come to is written down in one file, so that a change of the schema is read as one."""

from __future__ import annotations

import re
import secrets
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from infra.local import database_url
from infra.migrate import migrate, migrations
from infra.parts import postgres

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack

RECORDED = Path("infra/migrations/schema.sql")
# What differs from run to run: versions, settings of the session, the random key of \restrict.
NOISE = re.compile(r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict.*)$")


async def test_the_schema_after_all_migrations_equals_its_recorded_dump(stack: Stack) -> None:
    """A fresh database, migrated from nothing, dumped by pg_dump."""
    name = f"schema_{secrets.token_hex(4)}"
    await postgres.make_database(stack.home, stack.secrets, name)
    url = database_url(stack.home, "elumiti_owner", stack.secrets.role_passwords["elumiti_owner"], name)
    await migrate(url, stack.secrets.role_passwords)
    seen = dump(stack, url)
    made = Path("build/schema.sql")
    made.parent.mkdir(exist_ok=True)
    made.write_text(seen)
    assert RECORDED.read_text() == seen, f"Read the difference; if it is meant: cp {made} {RECORDED}"


def test_numbers_of_migrations_are_unique_and_each_says_why() -> None:
    """Two branches may not use one number; the header answers five questions."""
    numbers = [one.number for one in migrations()]
    assert len(set(numbers)) == len(numbers)
    for one in migrations():
        head = one.sql[:1500]
        assert [word for word in ("Why", "Locks", "Time", "Order", "Back") if f"-- {word}" not in head] == [], one.name


def dump(stack: Stack, url: str) -> str:
    """The schema of a database, without noise."""
    binaries, _, user = postgres._place(stack.home)
    argv = [str(binaries / "pg_dump"), "--schema-only", "--no-owner", "--no-comments", f"--dbname={url}"]
    text = subprocess.run(argv, capture_output=True, check=True, text=True, user=user, cwd="/").stdout
    lines = [line.rstrip() for line in text.splitlines() if not NOISE.match(line)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
