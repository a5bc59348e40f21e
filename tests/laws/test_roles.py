"""Database roles: keys for scoring alone, nothing recorded is changed by anybody, names only where they are needed."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import asyncpg
import pytest

from infra.local import ROLES, database_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from infra.parts.supervisor import Stack

    Db = asyncpg.Connection[asyncpg.Record]

PROCESSES = [role for role in ROLES if role != "elumiti_owner"]
FOR_EVER = ("response_event", "response_event_other", "response_conflict", "audit", "seal", "dead_letter")
FOR_EVER += ("audit_file", "audit_archived")


@pytest.fixture(params=PROCESSES)
async def role(stack: Stack, request: pytest.FixtureRequest) -> AsyncIterator[Db]:
    """A connection with a process's own password."""
    name = request.param
    connection = await asyncpg.connect(database_url(stack.home, name, stack.secrets.role_passwords[name]))
    yield connection
    await connection.close()


async def refused(db: Db, *statements: str) -> None:
    for statement in statements:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute(statement)


async def name_of(db: Db) -> str:
    return await db.fetchval("select current_user")


async def test_answer_keys_are_read_by_scoring_alone(role: Db) -> None:
    select = "select rule from keys.item_key limit 1"
    if await name_of(role) == "elumiti_scoring":
        await role.execute(select)
    else:
        await refused(role, select)
    await refused(role, "update keys.item_key set points = 9", "delete from keys.item_key")
    await refused(role, "insert into keys.item_key (form_id, code, rule, points) values (1, 'x', '{}', 1)")


@pytest.mark.parametrize("table", FOR_EVER)
async def test_what_is_recorded_is_changed_by_nobody(role: Db, table: str) -> None:
    columns = {"audit": "reason", "seal": "code", "dead_letter": "reason", "audit_file": "object_key"}
    column = {**columns, "audit_archived": "hash"}.get(table, "value")
    await refused(role, f"update {table} set {column} = 'x'", f"delete from {table}", f"truncate {table}")


async def test_a_score_run_is_published_and_otherwise_never_changed(role: Db) -> None:
    for column in ("summary", "result_hash", "snapshot_hash", "parameters", "version"):
        await refused(role, f"update score_run set {column} = null")
    await refused(role, "delete from score_run", "truncate score_run")


async def test_no_partition_is_a_way_around(role: Db, owner_url: str) -> None:
    owner = await asyncpg.connect(owner_url)
    await owner.execute("select make_sitting_partition(999999)")
    await owner.close()
    await refused(role, "select 1 from response_event_999999", "delete from response_event_999999")
    await refused(role, "drop table response_event_999999")


async def test_the_audit_chain_is_not_for_writing(role: Db) -> None:
    await refused(role, "update audit_head set last_id = 0", "delete from audit_head")
    await refused(role, "alter table audit disable trigger audit_chain")


async def test_nobody_makes_objects_or_has_another_s_rights(role: Db) -> None:
    await refused(role, "create table public.mine (x int)", "create schema mine")
    rights = await role.fetchrow(
        """
        select rolsuper or rolcreatedb or rolcreaterole or rolbypassrls or rolreplication as high,
               exists (select 1 from pg_auth_members m where m.member = r.oid) as member
        from pg_roles r where rolname = current_user
        """
    )
    assert rights is not None
    assert not rights["high"]
    assert not rights["member"]


async def test_engine_and_flusher_read_no_more_of_a_child_than_they_show(stack: Stack) -> None:
    """The engine greets by the first name and compares the birthday; of family names and schools' classes it knows nothing."""
    name = "elumiti_engine"
    db = await asyncpg.connect(database_url(stack.home, name, stack.secrets.role_passwords[name]))
    for column in ("last_name", "middle_name", "gender", "external_id", "search_name", "sort_name"):
        await refused(db, f"select {column} from participant limit 1")
    await db.execute("select id, first_name, birth_date from participant limit 1")
    await refused(db, "select content from form_item limit 1", "select bytes from form_media limit 1")
    await refused(db, "select password_hash from staff limit 1", "select key_hash from staff_session limit 1")
    await refused(db, "select id from audit limit 1", "select bytes from rescue_file limit 1")
    await db.close()


async def test_sealed_form_keys_are_read_by_the_engine_alone(role: Db) -> None:
    select = "select sealed from form_key limit 1"
    if await name_of(role) == "elumiti_engine":
        await role.execute(select)
    else:
        await refused(role, select)


async def test_passwords_of_staff_are_read_by_the_portal_alone(role: Db) -> None:
    if await name_of(role) != "elumiti_portal":
        await refused(role, "select password_hash from staff limit 1", "select key_hash from staff_session limit 1")


async def test_every_right_on_what_is_recorded_is_known(owner_url: str) -> None:
    """From the catalogue, so that a grant in a later migration shows here: table × role × right."""
    db = await asyncpg.connect(owner_url)
    for table, name, right in itertools.product(
        (*FOR_EVER, "score_run", "keys.item_key", "migration", "audit_term"),
        PROCESSES,
        ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER"),
    ):
        assert not await db.fetchval("select has_table_privilege($1, $2, $3)", name, table, right), (table, name, right)
    columns = await db.fetch(
        """
        select grantee, table_name, column_name from information_schema.column_privileges
        where privilege_type = 'UPDATE' and table_name = any($1::text[]) and grantee = any($2::text[])
        """,
        *([*FOR_EVER, "score_run", "item_key"], PROCESSES),
    )
    await db.close()
    assert [tuple(row) for row in columns] == [("elumiti_portal", "score_run", "published_at")]
