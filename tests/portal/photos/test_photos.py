"""A photo is what its content says, is made anew, and is shown to who sees the card, for some minutes."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from infra.objects import open_bucket
from portal.core.files import stored
from tests.support.pictures import pdf, picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Place, Visitor

PHOTO = re.compile(r'src="(/[^"]+/photo/large\?[^"]+)"')
SECRET = b"taken at home"


def send(visitor: Visitor, path: str, body: bytes, name: str = "me.jpg") -> int:
    return visitor.post(path, {}, files={"file": (name, body, "image/jpeg")}).status_code


def shown(visitor: Visitor, path: str) -> str:
    found = PHOTO.search(visitor.get(path).text)
    assert found
    return found.group(1).replace("&amp;", "&")


def kept(house: House) -> set[str]:
    async def run() -> set[str]:
        async with open_bucket(house.settings.objects, stored.BUCKET) as bucket:
            await bucket.ensure()
            return set(await bucket.keys("photo/"))

    return house.loop.run(run())


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_it_works(house: House, add: Callable[..., int], form: str) -> None:
    """Sent as a phone makes it, cut square, without what the file said besides; the picture is private and harmless."""
    admin = house.worker("test-administrator")
    person = add(admin)
    assert send(admin, f"/persons/{person}/photo", picture(form, (640, 420), mark=SECRET)) == 303
    answer = admin.get(shown(admin, f"/persons/{person}"))
    assert answer.status_code == 200
    image = Image.open(io.BytesIO(answer.content))
    assert (image.format, image.size) == ("WEBP", (480, 480))
    assert SECRET not in answer.content
    assert not image.getexif()
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"].startswith("private")
    assert house.sql("select 1 from audit where act = 'person.photo.set' and object_id = $1", str(person))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        pdf(),
        picture(size=(60, 400)),
        picture()[:300],
        b"\x89PNG\r\n\x1a\n" + b"\0" * 400,
    ],
    ids=["empty", "svg", "pdf", "small", "cut", "broken"],
)
def test_what_is_no_photo_is_refused(house: House, add: Callable[..., int], body: bytes) -> None:
    """Whatever it is called; nothing is kept."""
    admin = house.worker("test-administrator")
    person = add(admin)
    before = kept(house)
    assert send(admin, f"/persons/{person}/photo", body) == 422
    assert house.sql("select photo_key from person where id = $1", person)[0]["photo_key"] is None
    assert kept(house) == before


def test_a_picture_of_too_many_points_is_refused(house: House, add: Callable[..., int]) -> None:
    """A small file that would be a wall of memory."""
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    admin = house.worker("test-administrator")
    assert send(admin, f"/persons/{add(admin)}/photo", out.getvalue()) == 422


def test_the_address_is_one_reader_s_and_the_right_is_asked_again(
    house: House, place: Place, add: Callable[..., int]
) -> None:
    """A colleague, a neighbour, a changed address: nothing there."""
    admin = house.worker("test-administrator")
    person = add(admin)
    send(admin, f"/persons/{person}/photo", picture())
    path = shown(admin, f"/persons/{person}")
    assert house.worker("test-administrator").get(path).status_code == 404
    until = re.search(r"until=(\d+)", path)
    assert until
    assert admin.get(path.replace(until.group(1), str(int(until.group(1)) + 600))).status_code == 404
    assert admin.get(path.split("?")[0]).status_code == 404
    login = house.person("test-administrator", region=place.region)
    near = house.visitor(login)
    path = shown(near, f"/persons/{person}")
    assert near.get(path).status_code == 200
    far = f"N{place.region}"
    house.sql("insert into region values ($1, 'Көрші', 'Соседи', 'Neighbours')", far)
    house.sql(
        "update staff_grant set region_code = $2 where staff_id = (select id from staff where login = $1)", login, far
    )
    assert near.get(path).status_code == 404, "the right is looked at again"


def test_another_photo_or_none_lets_the_old_one_go(house: House, add: Callable[..., int]) -> None:
    """The worker erases it from the store."""
    admin = house.worker("test-administrator")
    person = add(admin)
    before = kept(house)
    send(admin, f"/persons/{person}/photo", picture())
    first = kept(house) - before
    assert len(first) == 2
    send(admin, f"/persons/{person}/photo", picture("JPEG"))
    assert admin.post(f"/persons/{person}/photo", {"do": "remove"}).status_code == 303
    while house.loop.run(stored.erase_let_go(house.front.inner.state.pool, house.settings), 60):
        pass
    assert kept(house) == before
    assert "photo/large" not in admin.get(f"/persons/{person}").text


def test_an_upload_whose_change_never_came_is_erased(house: House) -> None:
    """A portal that dies between the store and the row leaves nothing behind."""

    async def run() -> str:
        async with house.front.inner.state.pool.acquire() as db:
            return await stored.put(db, house.settings.objects, "photo", [b"x"], ["-480"])

    key = house.loop.run(run())
    house.sql("update object_let_go set erase_at = now() where key = $1", f"{key}-480")
    while house.loop.run(stored.erase_let_go(house.front.inner.state.pool, house.settings), 60):
        pass
    assert f"{key}-480" not in kept(house)


def test_a_person_sets_his_own_and_nobody_else_s(house: House, add: Callable[..., int]) -> None:
    """By the own page; a login without a row of the registry has none."""
    admin = house.worker("test-administrator")
    mine, other = add(admin), add(admin, last_name="Басқа")
    login = house.person("birge-pupil", project="birge-oqy")
    own = house.visitor(login)
    assert own.get("/me/photo").status_code == 404
    house.sql("update staff set person_id = $2 where login = $1", login, mine)
    assert send(own, "/me/photo", picture()) == 303
    assert own.get(shown(own, "/me/photo")).status_code == 200
    keys = house.sql("select photo_key from person where id = any($1) order by id", [mine, other])
    assert [row["photo_key"] is None for row in keys] == [False, True]
    assert send(own, f"/persons/{other}/photo", picture()) == 403
