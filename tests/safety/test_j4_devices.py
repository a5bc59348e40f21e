"""SAFETY J4: a stranger with a child's slip can't lock the child out, reads at most what two entries show, and is seen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.engine.conftest import db  # noqa: F401 (a fixture)
from tests.portal.conftest import House, house  # noqa: F401 (a fixture)
from tests.support.pupil import Pupil, Refused
from tests.support.sittings import Scene, make_sitting
from tests.support.waiting import eventually, refused_as

if TYPE_CHECKING:
    import asyncpg

    from infra.parts.supervisor import Stack

    Db = asyncpg.Connection[asyncpg.Record]

RACES = 10


class Stranger:
    """Has the slip and knows the birth day; takes a new device as often as he is let in, and reads all he can."""

    def __init__(self, service: str, scene: Scene) -> None:
        self.service = service
        self.scene = scene
        self.entries: list[Pupil] = []
        self.read: list[dict[str, object]] = []
        self.held = 0

    async def rush(self, tries: int = 5) -> None:
        """Tries at once and after each other."""
        await asyncio.gather(*(self._enter() for _ in range(tries)))
        await self._enter()

    async def _enter(self) -> None:
        device = Pupil(self.service, self.scene.seats[0])
        try:
            await device.sign_in()
        except Refused as refused:
            assert refused.problem["code"] == "device-held", refused
            self.held += 1
            return
        self.entries.append(device)
        device.answer(self.scene.items["M01"], self.scene.options["M01"]["D"])
        await device.save()
        await self.look(device)

    async def look(self, device: Pupil) -> None:
        """Ask for the child's answers with a device that was let in."""
        try:
            resumed = await device.call("POST", "/v1/resume", {"device": device.device})
        except Refused as refused:
            assert refused.problem["code"] == "device-held", refused
            return
        self.read.append(resumed["answers"])


async def started(stack: Stack, owner_url: str, service: str) -> tuple[Scene, Pupil]:
    """A child who writes."""
    scene = await make_sitting(stack, owner_url, items=6)
    child = Pupil(service, scene.seats[0])

    async def signed_in_everywhere() -> None:
        for _ in range(4):
            await child.sign_in()

    await eventually(signed_in_everywhere)
    await eventually(child.start)
    child.answer(scene.items["M01"], scene.options["M01"]["A"])
    await child.save_until_durable()
    return scene, child


@pytest.mark.parametrize("race", range(RACES))
async def test_a_thief_and_a_child_race_for_an_attempt(
    stack: Stack,
    owner_url: str,
    service: str,
    db: Db,  # noqa: F811
    race: int,
) -> None:
    """All that the child does is kept; of the stranger's six devices two get in, and the attempt returns to the child."""
    scene, child = await started(stack, owner_url, service)
    thief = Stranger(service, scene)

    async def child_writes() -> None:
        for code in ("M02", "M03", "M04", "M05"):
            child.answer(scene.items[code], scene.options[code]["B"])
            await child.save()
            await asyncio.sleep(0.01 * race)

    await asyncio.gather(child_writes(), thief.rush())
    assert len(thief.entries) == 2, "two take-overs pass, the others wait for a person"
    assert thief.held == 4

    async def child_writes_again() -> None:
        child.answer(scene.items["M06"], scene.options["M06"]["C"])
        assert not (await child.save()).get("superseded"), "the longest history holds the attempt"

    await eventually(child_writes_again)
    for device in thief.entries:
        await eventually(lambda device=device: superseded(device))
    seen = len(thief.read)
    for device in thief.entries:
        await thief.look(device)
    assert len(thief.read) == seen <= 2, "who was replaced reads nothing new"
    await child.save_until_durable()
    rows = await db.fetch(
        "select seq, value from response_event where attempt_id = $1 and device = $2::text::uuid order by seq",
        *(child.attempt, child.device),
    )
    assert [row["seq"] for row in rows] == list(range(1, len(child.log) + 1))
    resumed = await child.call("POST", "/v1/resume", {"device": child.device})
    answers = {item: answer["value"] for item, answer in resumed["answers"].items()}
    assert answers[str(scene.items["M01"])] == scene.options["M01"]["A"], "the stranger's answer does not stand"
    assert await child.finish()


async def superseded(device: Pupil) -> None:
    """The device hears that another one writes."""
    assert (await device.call("POST", "/v1/save", device.batch([]))).get("superseded")


async def test_before_the_start_any_device_takes_over(stack: Stack, owner_url: str, service: str) -> None:
    scene = await make_sitting(stack, owner_url, starts_in_s=600)
    await eventually(lambda: Pupil(service, scene.seats[0]).sign_in())
    for _ in range(6):
        await Pupil(service, scene.seats[0]).sign_in()


async def test_the_proctor_sees_both_and_lets_the_next_device_in(
    stack: Stack,
    owner_url: str,
    service: str,
    db: Db,  # noqa: F811
    house: House,  # noqa: F811
) -> None:
    """The page names each device, the hold and what to do; one press, on record, and the child's new phone is in."""
    scene, child = await started(stack, owner_url, service)
    for agent in ("thief/1", "thief/2"):
        await Pupil(service, scene.seats[0]).sign_in(agent=agent)
    phone = Pupil(service, scene.seats[0])
    held = await refused_as(lambda: phone.sign_in(agent="new phone"), "device-held")
    assert held.problem["help"]["name"]

    async def on_record() -> None:
        assert await db.fetchval("select tries from device_hold where attempt_id = $1", child.attempt) == 1

    await eventually(on_record)

    def let_in() -> None:
        proctor = house.worker("test-administrator")
        page = proctor.get(f"/sittings/{scene.sitting}/participants/{child.attempt}").text
        for agent in ("test", "thief/1", "thief/2", "new phone"):
            assert agent in page
        assert page.count("басталғаннан кейін қосылды") == 2
        assert 'value="free"' in page
        answer = proctor.post(f"/sittings/{scene.sitting}/participants/{child.attempt}/lock", {"do": "free"})
        assert answer.status_code == 303
        page = proctor.get(f"/sittings/{scene.sitting}/participants/{child.attempt}").text
        assert 'value="free"' not in page

    await asyncio.to_thread(let_in)
    await eventually(phone.sign_in)
    acts = await db.fetch("select act from audit where object_id = $1::text", str(child.attempt))
    assert "participant.devices.freed" in {row["act"] for row in acts}


async def test_a_phone_that_began_a_new_log_is_one_history(
    stack: Stack,
    owner_url: str,
    service: str,
    db: Db,  # noqa: F811
) -> None:
    """The child took his attempt back with a new log: when the stranger comes again, that newest log of his holds it."""
    scene, child = await started(stack, owner_url, service)
    await Pupil(service, scene.seats[0]).sign_in()
    back = Pupil(service, scene.seats[0])
    back.token = child.token
    await back.sign_in()
    back.answer(scene.items["M02"], scene.options["M02"]["A"])
    await back.save_until_durable()
    await refused_as(lambda: Pupil(service, scene.seats[0]).sign_in(), "device-held")

    async def kept() -> None:
        device = await db.fetchval("select kept from device_hold where attempt_id = $1", child.attempt)
        assert device is not None
        assert device.hex == back.device

    await eventually(kept)
    assert not (await back.save()).get("superseded")


async def test_two_attempts_on_one_phone_at_one_time_are_shown(
    stack: Stack,
    owner_url: str,
    service: str,
    house: House,  # noqa: F811
) -> None:
    scene = await make_sitting(stack, owner_url, pupils=3)
    one, other, alone = (Pupil(service, seat) for seat in scene.seats)
    shared = "ab" * 16
    await eventually(lambda: one.sign_in(phone=shared))
    await eventually(lambda: other.sign_in(phone=shared))
    await eventually(lambda: alone.sign_in(phone="cd" * 16))
    for pupil in (one, other, alone):
        pupil.answer(scene.items["M01"], scene.options["M01"]["A"])
        await pupil.save()
        pupil.answer(scene.items["M02"], scene.options["M02"]["A"])
        await pupil.save_until_durable()

    def pages() -> None:
        proctor = house.worker("test-administrator")
        page = proctor.get(f"/sittings/{scene.sitting}/participants/{one.attempt}").text
        assert f"/participants/{other.attempt}" in page
        assert f"/participants/{alone.attempt}" not in page
        page = proctor.get(f"/sittings/{scene.sitting}/participants/{alone.attempt}").text
        assert f"/participants/{one.attempt}" not in page

    await asyncio.to_thread(pages)
