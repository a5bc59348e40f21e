"""The start service is down at T0: a room's code opens the test, and nothing of it is lost (SAFETY M1)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec

from infra.local import environment
from infra.parts.process import Command, Part
from infra.parts.supervisor import _ready_url, engine_argv
from infra.parts.unused import unused_ports
from tests.browser.player.peer import Pupil
from tests.support.rooms import codes, release_codes
from tests.support.sittings import make_sitting
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from infra.parts.supervisor import Stack
    from tests.browser.player.sitter import Sitter
    from tests.support.loop import Loop
    from tests.support.sittings import Scene, Seat

ROOMS = ("3-кабинет", "Спортзал")
DURATION_S = 1800
# Enough for two open browsers to sign in and fetch the form, on a machine that does other things too.
STARTS_IN_S = 20
SET_FORWARD = "() => { const now = Date.now.bind(Date); Date.now = () => now() + 7_200_000; }"
RECORD = """async () => {
  const db = await new Promise((ok) => { const r = indexedDB.open("elumiti"); r.onsuccess = () => ok(r.result); });
  const all = await new Promise((ok) => { const r = db.transaction("attempts").objectStore("attempts").getAll(); r.onsuccess = () => ok(r.result); });
  db.close();
  return { started_ms: all[0].started_ms, deadline_ms: all[0].deadline_ms };
}"""


@contextlib.contextmanager
def mortal_engine(stack: Stack, loop: Loop, folder: Path) -> Iterator[tuple[str, Part]]:
    """An engine of its own beside the session's, to be stopped and started again at the same address."""
    home = msgspec.structs.replace(
        stack.home, ports=msgspec.structs.replace(stack.home.ports, engine=unused_ports(1)[0])
    )
    environ = environment(home, "engine") | stack.overrides["engine"] | {"ELUMITI_SNAPSHOT_DIR": str(folder)}
    command = Command(
        name="engine",
        argv=engine_argv(home, 1),
        environ=environ,
        log=stack.home.log("room-engine"),
        ready=_ready_url(home.near, home.ports.engine),
        stop_limit_s=15,
    )
    part = Part(command)
    loop.run(part.up(), 30)
    try:
        yield f"http://127.0.0.1:{home.ports.engine}", part
    finally:
        loop.run(part.down(), 30)


def wait_with_the_form(sitter: Sitter, seat: Seat) -> None:
    """Signed in, in the waiting room, the form and the blob on the device."""
    sitter.choose_language()
    sitter.sign_in(Pupil(seat.attempt, seat.code, "Айдар", seat.day, seat.month))
    sitter.page.locator(".findings").wait_for()
    sitter.page.locator(".big").click()
    sitter.page.locator(".good").wait_for()


def has_blob(sitter: Sitter, name: str) -> bool:
    """Whether it is on the device."""
    return name in sitter.everything_stored()


def enter_code(sitter: Sitter, code: str) -> None:
    """Type it and press the button."""
    field = sitter.page.locator("#room-code")
    field.fill("")
    field.fill(code.lower())
    sitter.page.locator("#room-code-form button").click()


def asks_for_a_code(sitter: Sitter) -> bool:
    """Presses «start» when it comes: a page's own second may end after the server's."""
    if (start := sitter.page.locator("#start")).count():
        start.click()
    return sitter.page.locator("#room-code").count() == 1


def has_to_pause(sitter: Sitter) -> bool:
    """Presses the button again while it lets him."""
    button = sitter.page.locator("#room-code-form button")
    if button.is_enabled():
        button.click()
    return "кейін қайта" in sitter.page.locator("#room-code-form .trouble").inner_text()


def test_without_the_start_service_a_room_code_opens_the_test_and_all_of_it_arrives_later(
    player: Path,
    stack: Stack,
    service: str,
    owner_url: str,
    loop: Loop,
    sitter_at: Callable[..., Sitter],
    tmp_path: Path,
) -> None:
    assert player, service

    with mortal_engine(stack, loop, tmp_path / "engine") as (url, engine):
        mine, other = sitter_at(url), sitter_at(url)
        made = make_sitting(stack, owner_url, rooms=ROOMS, starts_in_s=STARTS_IN_S, duration_s=DURATION_S, spread_s=0)
        scene = loop.run(made, 60)
        for sitter, seat in zip((mine, other), scene.seats, strict=True):
            wait_with_the_form(sitter, seat)
        blobs = loop.run(in_postgres(owner_url, BLOBS, scene.form), 10)
        until(lambda: has_blob(mine, blobs[0]["blob"]) and has_blob(other, blobs[1]["blob"]))
        # A clock that a child sets forward: the server is asked, and the page waits on.
        with other.page.expect_response(lambda answer: answer.url.endswith("/v1/clock")):
            other.page.evaluate(SET_FORWARD)
        assert other.page.locator("#question, #room-code").count() == 0
        loop.run(engine.down(), 30)
        assert mine.page.locator("#room-code").count() == 0

        until(lambda: loop.run(release_codes(stack, scene.sitting), 10) == 2, STARTS_IN_S + 10)
        clear = loop.run(with_db(owner_url, scene), 10)
        until(lambda: asks_for_a_code(mine), 40)
        until(lambda: asks_for_a_code(other), 40)
        assert "3-кабинет" in mine.page.locator("#room-code-form").inner_text()

        # Of another room: it opens nothing here. A slip of the finger shows before anything is tried.
        enter_code(other, clear[scene.rooms[0]])
        other.page.locator("#room-code-form .trouble").wait_for()
        assert "Спортзал" in other.page.locator("#room-code-form .trouble").inner_text()
        assert other.page.locator("#question").count() == 0
        # After five wrong ones a pause; nothing else is lost by guessing.
        until(lambda: has_to_pause(other))
        right = clear[scene.rooms[1]]
        other.page.locator("#room-code").fill(right[:-1] + ("0" if right[-1] != "0" else "1"))
        assert other.page.locator("#room-code").get_attribute("aria-invalid") == "true"

        enter_code(mine, clear[scene.rooms[0]])
        mine.page.locator("#question").wait_for()
        chosen: list[str] = []
        for _ in range(3):
            mine.choose(2)
            chosen.append(mine.page.locator(".option.chosen .words").inner_text())
            mine.next()
        mine.kept()
        record: dict[str, int] = mine.page.evaluate(RECORD)
        assert record["deadline_ms"] - record["started_ms"] == DURATION_S * 1000

        loop.run(engine.up(), 30)
        # As a phone says when the line is back; without a word the player finds out within half a minute.
        for sitter in (mine, other):
            sitter.page.evaluate("dispatchEvent(new Event('online'))")
        attempt = scene.seats[0].attempt
        until(lambda: len(loop.run(in_postgres(owner_url, ANSWERS, attempt), 10)) == len(chosen), 40)
        opening = loop.run(in_postgres(owner_url, OPENING, attempt), 10)[0]
        assert opening["seq"] == 1, "before anything else"
        assert (opening["early"], opening["foreign_number"], opening["number"]) == (None, False, 1)
        assert opening["at_ms"] == opening["started_ms"] == record["started_ms"]
        letters = {number: letter for name in scene.options for letter, number in scene.options[name].items()}
        answers = loop.run(in_postgres(owner_url, ANSWERS, attempt), 10)
        assert [words.split()[2] for words in chosen] == [letters[int(row["value"])] for row in answers]
        # The other pupil: the engine is back, his key comes by itself.
        other.page.locator("#question").wait_for()

        for _ in range(3):
            mine.choose(1)
            mine.next()
        mine.finish()
        assert mine.receipt()
        # By the engine's word too: nothing moved.
        again = loop.run(in_postgres(owner_url, OPENING, attempt), 10)[0]
        assert again["started_ms"] == record["started_ms"]


async def with_db(owner_url: str, scene: Scene) -> dict[int, str]:
    db = await asyncpg.connect(owner_url)
    try:
        return await codes(db, scene)
    finally:
        await db.close()


async def in_postgres(owner_url: str, statement: str, *values: object) -> list[Any]:
    db = await asyncpg.connect(owner_url)
    try:
        return await db.fetch(statement, *values)
    finally:
        await db.close()


BLOBS = "select blob from room_code where form_id = $1 and room_id is not null order by number"
ANSWERS = "select value from response_event where attempt_id = $1 and kind = 1 order by seq"
OPENING = """
    select o.seq, o.number, o.early, o.foreign_number, o.at_ms, (extract(epoch from a.started_at) * 1000)::bigint as started_ms
    from room_opening o
    join attempt a on a.id = o.attempt_id
    where o.attempt_id = $1
"""
