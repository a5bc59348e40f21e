"""A link to a stored file is for one person and some minutes, and is no right of its own."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local import decode_key
from infra.objects import open_bucket
from portal.core.files.links import is_ours, path_of
from portal.features.audit.routes import ARCHIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.portal.conftest import House

KEY = "000000000001-000000000009.parquet"
BODY = bytes(range(256)) * 3000
SECRET = b"k" * 32


@pytest.fixture
def stored(house: House) -> Iterator[str]:
    """A file of old records; its row in the table is what lets readers of the trail have it."""

    async def put(*, gone: bool) -> None:
        async with open_bucket(house.settings.objects, ARCHIVE.bucket) as bucket:
            await bucket.ensure()
            await (bucket.delete(KEY) if gone else bucket.put(KEY, BODY))

    house.loop.run(put(gone=False))
    house.sql(
        """
        insert into audit_file (first_id, last_id, first_at, last_at, records, object_key, sha256)
        values (1, 9, now(), now(), 9, $1, '')
        """,
        KEY,
    )
    yield KEY
    house.sql("delete from audit_file where object_key = $1", KEY)
    house.loop.run(put(gone=True))


def link(house: House, login: str, key: str = KEY, *, ago_s: int = 0) -> str:
    staff = house.sql("select id from staff where login = $1", login)[0]["id"]
    at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=ago_s)
    return path_of(decode_key(house.settings.link_key), ARCHIVE, key, staff, at)


def test_the_page_s_link_gives_the_file(house: House, stored: str) -> None:
    """Whole, as an attachment that no browser would run; that it was taken is on record."""
    boss = house.worker("super-admin")
    page = boss.get("/audit").text.replace("&amp;", "&")
    start = page.index("/files?of=audit")
    answer = boss.get(page[start : page.index('"', start)])
    assert (answer.status_code, answer.content) == (200, BODY)
    head = answer.headers
    assert head["content-disposition"] == f"attachment; filename*=UTF-8''{quote(f'audit-{stored}')}"
    assert head["content-length"] == str(len(BODY))
    assert head["x-content-type-options"] == "nosniff"
    assert head["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "no-store" in head["cache-control"]
    assert house.sql("select 1 from audit where act = 'audit.file.taken' and object_id = $1", stored)


def test_it_is_nobody_else_s(house: House, stored: str) -> None:
    """A colleague with the same right, a stranger, a changed key or time: nothing there."""
    assert stored
    login = house.person("super-admin")
    path = link(house, login)
    owner, colleague = house.visitor(login), house.worker("super-admin")
    assert owner.get(path).status_code == 200
    assert colleague.get(path).status_code == 404
    assert house.visitor().get(path).headers["location"].startswith("/sign-in?next=/files")
    until = parse_qs(urlsplit(path).query)["until"][0]
    for changed in (
        path.replace("9.parquet", "8.parquet"),
        path.replace(f"until={until}", f"until={int(until) + 600}"),
        path.replace("of=audit", "of=other"),
        path[:-1] + ("0" if path[-1] != "0" else "1"),
        path.split("&sign=")[0],
        "/files",
        path.replace(f"until={until}", "until=²"),
    ):
        assert owner.get(changed).status_code == 404, changed


def test_it_is_over_after_some_minutes(house: House, stored: str) -> None:
    assert stored
    login = house.person("super-admin")
    owner = house.visitor(login)
    assert owner.get(link(house, login, ago_s=200)).status_code == 200
    assert owner.get(link(house, login, ago_s=301)).status_code == 410


def test_a_right_that_was_taken_away_ends_it(house: House, stored: str) -> None:
    """Access is asked again at the door: the role, and the file's own rule."""
    login = house.person("super-admin")
    owner, path = house.visitor(login), link(house, login)
    house.sql("delete from audit_file where object_key = $1", stored)
    assert owner.get(path).status_code == 404, "the file's own rule says no"
    proctor = house.person("proctor")
    assert house.visitor(proctor).get(link(house, proctor)).status_code == 404, "the role says no"


def test_a_file_that_is_gone_is_not_there(house: House, stored: str) -> None:
    assert stored
    login = house.person("super-admin")
    other = "000000000010-000000000011.parquet"
    house.sql(
        "insert into audit_file (first_id, last_id, first_at, last_at, records, object_key, sha256) values (10, 11, now(), now(), 2, $1, '')",
        other,
    )
    try:
        assert house.visitor(login).get(link(house, login, other)).status_code == 404
    finally:
        house.sql("delete from audit_file where object_key = $1", other)


@given(
    st.tuples(st.text(max_size=20), st.text(max_size=30), st.integers(0, 2**31), st.integers(0, 2**40)),
    st.tuples(st.text(max_size=20), st.text(max_size=30), st.integers(0, 2**31), st.integers(0, 2**40)),
)
def test_a_signature_is_of_one_link(one: tuple[str, str, int, int], other: tuple[str, str, int, int]) -> None:
    """No two links share one, however their parts are cut."""
    from portal.core.files.links import sign

    assert is_ours(SECRET, *one, sign(SECRET, *one))
    assert is_ours(SECRET, *other, sign(SECRET, *one)) is (one == other)
    assert not is_ours(b"j" * 32, *one, sign(SECRET, *one))


def test_signed_out_it_opens_nothing_and_no_other_way_of_asking_does(house: House, stored: str) -> None:
    """HEAD and a range tell no more than GET; keys with paths are no files; after signing out there is the sign-in page."""
    login = house.person("super-admin")
    owner, path = house.visitor(login), link(house, login)
    assert owner.get(path, headers={"range": "bytes=0-9"}).content == BODY, "whole, as without"
    assert owner.ask("HEAD", path).status_code == 405
    for key in (f"../{ARCHIVE.bucket}/{stored}", f"/{stored}", f"{stored}/..", f"{stored}\0", stored.upper()):
        assert owner.get(link(house, login, key)).status_code == 404, key
    records = house.sql("select count(*) from audit where act = 'audit.file.taken' and object_id = $1", stored)[0][0]
    assert owner.post("/sign-out").status_code == 303
    assert owner.get(path).headers["location"].startswith("/sign-in?next=/files")
    again = house.visitor(login)
    house.sql("update staff set disabled_at = now() where login = $1", login)
    house.sql("delete from staff_session where staff_id = (select id from staff where login = $1)", login)
    assert again.get(path).status_code == 303
    assert (
        house.sql("select count(*) from audit where act = 'audit.file.taken' and object_id = $1", stored)[0][0]
        == records
    )
