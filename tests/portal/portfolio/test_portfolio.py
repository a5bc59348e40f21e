"""A scanned diploma: added, scanned, looked at, confirmed, removed; nobody opens it before, and only who may after."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from infra.clamd import ScannerAwayError, scan, version
from infra.objects import open_bucket
from portal.core.files import stored
from tests.portal.portfolio.conftest import EICAR, newest, send
from tests.support.pictures import pdf, picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.portal.conftest import House, Place
    from tests.portal.portfolio.conftest import Scanner

PICTURE = re.compile(r'src="(/[^"]+/picture/page\?[^"]+)"')
LINK = re.compile(r'href="(/files\?of=portfolio[^"]+)"')


def link(text: str, kind: re.Pattern[str]) -> str:
    found = kind.search(text)
    assert found, text[-3000:]
    return found.group(1).replace("&amp;", "&")


def test_it_works(house: House, add: Callable[..., int], scanner: Scanner, check: Callable[..., None]) -> None:
    """Closed while it waits; then clean, shown as a picture, downloaded as an attachment; the original is confirmed once."""
    admin = house.worker("test-administrator")
    person = add(admin)
    body = pdf()
    assert send(admin, person, body) == 303
    document = newest(house, person)
    page = f"/persons/{person}/portfolio/{document}"
    assert not LINK.search(admin.get(page).text)
    assert admin.post(f"{page}/confirm").status_code == 404, "nobody confirms what nobody has opened"
    check(scanner.url)
    assert scanner.bytes_seen == len(body)
    shown = admin.get(f"{page}?lang=en").text
    assert "no virus found" in shown
    picture_ = admin.get(link(shown, PICTURE))
    assert (picture_.status_code, picture_.headers["content-type"]) == (200, "image/webp")
    file = admin.get(link(shown, LINK))
    assert file.content == body
    assert file.headers["content-disposition"].startswith("attachment")
    assert file.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert file.headers["content-type"] == "application/octet-stream"
    assert admin.post(f"{page}/confirm").status_code == 303
    assert "original seen" in admin.get(f"{page}?lang=en").text
    acts = house.sql("select act from audit where object_id = $1 and object_kind = 'person' order by id", str(person))
    told = [row["act"] for row in acts if row["act"].startswith("portfolio")]
    assert told[:2] == ["portfolio.document.added", "portfolio.document.opened"]
    assert {"portfolio.document.checked", "portfolio.document.confirmed"} < set(told)
    assert house.sql("select 1 from audit where act = 'portfolio.file.taken'")


def test_a_virus_is_refused_and_erased(
    house: House, add: Callable[..., int], scanner: Scanner, check: Callable[..., None]
) -> None:
    """The row says what was found; the bytes are gone from the store."""
    admin = house.worker("test-administrator")
    person = add(admin)
    assert send(admin, person, pdf() + EICAR) == 303
    key = house.sql("select object_key from person_document where person_id = $1", person)[0]["object_key"]
    check(scanner.url)
    page = admin.get(f"/persons/{person}/portfolio/{newest(house, person)}?lang=en").text
    assert "Win.Test.EICAR_HDB-1" in page
    assert not LINK.search(page)
    pool = house.front.inner.state.pool
    while house.loop.run(stored.erase_let_go(pool, house.settings), 60):
        pass

    async def there() -> bytes | None:
        async with open_bucket(house.settings.objects, stored.BUCKET) as bucket:
            return await bucket.get(key)

    assert house.loop.run(there()) is None


@pytest.mark.parametrize("said", ["", "INSTREAM size limit exceeded. ERROR", "stream: nonsense"])
def test_a_scanner_that_is_away_keeps_the_document_closed(
    house: House, add: Callable[..., int], scanner: Scanner, check: Callable[..., None], said: str
) -> None:
    """No verdict is no «clean»; it is asked again later, and then it opens."""
    admin = house.worker("test-administrator")
    person = add(admin)
    send(admin, person)
    scanner.said = said
    check(scanner.url if said else "tcp://127.0.0.1:9")
    row = house.sql("select state, tries, try_at > now() as later from person_document where person_id = $1", person)[0]
    assert dict(row) == {"state": "waits", "tries": 1, "later": True}
    scanner.said = ""
    house.sql("update person_document set try_at = now() where person_id = $1", person)
    check(scanner.url)
    assert house.sql("select state from person_document where person_id = $1", person)[0]["state"] == "clean"


def test_without_a_scanner_it_says_so(house: House, add: Callable[..., int], check: Callable[..., None]) -> None:
    """A picture made anew to look at; the file goes out as an attachment that no browser runs."""
    admin = house.worker("test-administrator")
    person = add(admin)
    send(admin, person, picture("WEBP"))
    check()
    page = admin.get(f"/persons/{person}/portfolio/{newest(house, person)}?lang=en").text
    assert "This document was not checked for viruses" in page
    assert admin.get(link(page, PICTURE)).status_code == 200
    assert admin.get(link(page, LINK)).headers["content-security-policy"].startswith("sandbox")


def test_a_file_that_cannot_be_drawn_is_downloaded_only(
    house: House, add: Callable[..., int], check: Callable[..., None]
) -> None:
    """A PDF in name alone harms nobody: its drawing ends with the child process."""
    admin = house.worker("test-administrator")
    person = add(admin)
    assert send(admin, person, b"%PDF-1.7\n" + b"\xff" * 5000) == 303
    check()
    page = admin.get(f"/persons/{person}/portfolio/{newest(house, person)}").text
    assert not PICTURE.search(page)
    assert LINK.search(page)


@pytest.mark.parametrize(
    "body", [b"MZ\x90\0" * 50, b"<html><script>1</script>", b"PK\x03\x04" * 20], ids=["exe", "html", "zip"]
)
def test_what_is_no_document_is_refused(house: House, add: Callable[..., int], body: bytes) -> None:
    """By content, whatever it is called."""
    admin = house.worker("test-administrator")
    person = add(admin)
    assert send(admin, person, body) == 422
    assert newest(house, person) is None


def test_what_is_wrong_is_said_beside_the_field(house: House, add: Callable[..., int]) -> None:
    """And nothing is kept."""
    admin = house.worker("test-administrator")
    person = add(admin)
    answer = admin.post(
        f"/persons/{person}/portfolio",
        {"kind": "spell", "title": "", "issued_on": "31.02.2030", "language": "xx"},
        files={"file": ("a.pdf", pdf(), "application/pdf")},
    )
    assert answer.status_code == 422
    for field in ("kind", "title", "issued_on", "language"):
        assert f'href="#f-{field}"' in answer.text, field
    assert newest(house, person) is None


def test_a_portfolio_is_bounded(house: House, add: Callable[..., int]) -> None:
    """The sixty-first says so."""
    admin = house.worker("test-administrator")
    person = add(admin)
    house.sql(
        """
        insert into person_document (person_id, kind, title, language, media, size_bytes, object_key, added_by, try_at)
        select $1::bigint, 'other', 'x', 'kk', 'image/png', 1, 'none/' || $1::bigint || '/' || n, (select min(id) from staff), 'infinity'
        from generate_series(1, 60) n
        """,
        person,
    )
    assert send(admin, person) == 409
    house.sql("delete from person_document where person_id = $1", person)


def test_it_is_nobody_else_s(
    house: House, place: Place, add: Callable[..., int], scanner: Scanner, check: Callable[..., None]
) -> None:
    """Absent and forbidden are alike, in the list, the page, the picture and the file's link."""
    admin = house.worker("test-administrator")
    person, other = add(admin), add(admin, last_name="Басқа")
    send(admin, person)
    check(scanner.url)
    document = newest(house, person)
    page = f"/persons/{person}/portfolio/{document}"
    shown = admin.get(page).text
    drawn, file = link(shown, PICTURE), link(shown, LINK)
    far = f"N{place.region}"
    house.sql("insert into region values ($1, 'Көрші', 'Соседи', 'Neighbours')", far)
    neighbour = house.worker("test-administrator", region=far)
    for path in (page, page.replace(str(document), "999999999"), f"/persons/{person}/portfolio", drawn, file):
        assert neighbour.get(path).status_code == 404, path
    for act in ("confirm", "remove"):
        assert neighbour.post(f"{page}/{act}", {"reason": "x"}).status_code == 404
    assert admin.get(page.replace(f"/persons/{person}/", f"/persons/{other}/")).status_code == 404, "another's document"
    login = house.person("test-administrator", region=place.region)
    near = house.visitor(login)
    file = link(near.get(page).text, LINK)
    assert near.get(file).status_code == 200
    house.sql(
        "update staff_grant set region_code = $2 where staff_id = (select id from staff where login = $1)", login, far
    )
    assert near.get(file).status_code == 404, "a link is no right"


def test_each_opening_is_counted(
    house: House, add: Callable[..., int], scanner: Scanner, check: Callable[..., None]
) -> None:
    """SAFETY P1: list, page and file; beyond the measure nothing more."""
    admin = house.worker("test-administrator")
    person = add(admin)
    send(admin, person)
    check(scanner.url)
    login = house.person("test-administrator")
    reader = house.visitor(login)
    page = reader.get(f"/persons/{person}/portfolio/{newest(house, person)}").text
    reader.get(link(page, LINK))
    staff = house.sql("select id from staff where login = $1", login)[0]["id"]
    assert house.sql("select count from reading where staff_id = $1 and kind = 'card'", staff)[0]["count"] == 2
    house.sql("update reading set count = 400 where staff_id = $1 and kind = 'card'", staff)
    assert reader.get(f"/persons/{person}/portfolio/{newest(house, person)}").status_code == 429
    assert reader.get(link(page, LINK)).status_code == 429


def test_the_holder_has_his_own(
    house: House, place: Place, add: Callable[..., int], scanner: Scanner, check: Callable[..., None]
) -> None:
    """He adds, looks, downloads and removes; he confirms nothing, and another's is not there."""
    admin = house.worker("test-administrator")
    mine, other = add(admin), add(admin, last_name="Басқа")
    send(admin, other)
    login = house.person("birge-teacher", project="birge-oqy", region=place.region)
    house.sql("update staff set person_id = $2 where login = $1", login, mine)
    own = house.visitor(login)
    assert send(own, None) == 303
    check(scanner.url)
    document = newest(house, mine)
    shown = own.get(f"/me/portfolio/{document}").text
    assert own.get(link(shown, PICTURE)).status_code == 200
    assert own.get(link(shown, LINK)).status_code == 200
    assert own.get(f"/me/portfolio/{newest(house, other)}").status_code == 404
    house.sql("insert into role_permission values ('birge-teacher', 'portfolio.confirm')")
    try:
        assert own.post(f"/persons/{mine}/portfolio/{document}/confirm").status_code == 404
    finally:
        house.sql("delete from role_permission where role = 'birge-teacher' and permission = 'portfolio.confirm'")
    assert own.post(f"/me/portfolio/{newest(house, other)}/remove", {"reason": "x"}).status_code == 404
    assert own.post(f"/me/portfolio/{document}/remove", {"reason": ""}).status_code == 422
    assert own.post(f"/me/portfolio/{document}/remove", {"reason": "Ескі"}).status_code == 303
    assert newest(house, mine) is None
    said = house.sql("select reason from audit where act = 'portfolio.document.removed' and object_id = $1", str(mine))
    assert [row["reason"] for row in said] == ["Ескі"]


def test_a_merge_takes_documents_photo_and_login_along_and_back(
    house: House, place: Place, add: Callable[..., int]
) -> None:
    """Undo brings back what went over, and leaves what came later."""
    admin = house.worker("test-administrator")
    first, second = add(admin), add(admin)
    send(admin, second)
    admin.post(f"/persons/{second}/photo", {}, files={"file": ("a.png", picture(), "image/png")})
    login = house.person("birge-teacher", project="birge-oqy")
    house.sql("update staff set person_id = $2 where login = $1", login, second)
    document = newest(house, second)
    merged = admin.post(f"/persons/twins/{first}/{second}", {"do": "merge", "keep": "first", "reason": "бір адам"})
    assert merged.status_code == 303, merged.text[-1500:]

    def whose() -> tuple[int, list[bool], int]:
        photos = house.sql(
            "select photo_key is not null as has from person where id = any($1) order by id", [first, second]
        )
        return (
            house.sql("select person_id from person_document where id = $1", document)[0]["person_id"],
            [row["has"] for row in photos],
            house.sql("select person_id from staff where login = $1", login)[0]["person_id"],
        )

    assert whose() == (first, [True, False], first)
    send(admin, first, title="Кейін қосылған")
    later = newest(house, first)
    merge = house.sql("select max(id) as id from person_merge")[0]["id"]
    assert admin.post(f"/persons/merges/{merge}/undo").status_code == 303
    assert whose() == (second, [False, True], second)
    assert house.sql("select person_id from person_document where id = $1", later)[0]["person_id"] == first


def test_a_real_clamd_finds_eicar(house: House, tmp_path: Path) -> None:
    """The protocol is clamd's own. Its signature is written here: no database is downloaded."""
    clamd = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")
    if clamd is None:
        pytest.skip("clamd is not installed")
    database = tmp_path / "db"
    database.mkdir()
    (database / "test.ndb").write_text(f"Eicar-Test:0:*:{EICAR.hex()}\n")
    socket = tmp_path / "c.sock"
    settings = tmp_path / "clamd.conf"
    settings.write_text(
        f"DatabaseDirectory {database}\nLocalSocket {socket}\nForeground yes\nUser root\nStreamMaxLength 12M\n"
    )
    process = subprocess.Popen([clamd, "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while not socket.exists():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        url = f"unix://{socket}"
        assert house.loop.run(version(url)).startswith("ClamAV")
        assert house.loop.run(scan(url, pdf())).clean
        found = house.loop.run(scan(url, pdf() + EICAR))
        assert (found.clean, found.name) == (False, "Eicar-Test.UNOFFICIAL")
        with pytest.raises(ScannerAwayError):
            house.loop.run(scan(url, bytes(13 * 2**20)), 60)
    finally:
        process.terminate()
        process.wait(20)
