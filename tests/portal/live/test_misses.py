"""Failed sign-ins at the real engine show on the live page, with an alarm above the setting (SAFETY J3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.codes import draw_code
from tests.support.pupil import Pupil, Refused
from tests.support.sittings import make_sitting
from tests.support.waiting import until

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.portal.conftest import House
    from tests.support.sittings import Seat

ROW = re.compile(r'<th scope="row">([^<]+)</th><td class="num" data-name="This sitting">([^<]+)</td>[^>]+>([^<]+)</td>')


def test_wrong_codes_and_birthdays_are_counted_by_the_minute(
    house: House, stack: Stack, service: str, owner_url: str
) -> None:
    """Two unknown codes, three wrong days, one try at the then locked code; the alarm follows the setting."""
    scene = house.loop.run(make_sitting(stack, owner_url))
    house.sql("insert into setting (name, value) values ('sign_in_alarm', $1)", {"per_minute": 1000})
    watcher = house.worker("test-administrator")

    async def miss(seat: Seat, **changes: object) -> str:
        try:
            await Pupil(service, seat).sign_in(**changes)
        except Refused as refused:
            return str(refused.problem["code"])
        return "let in"

    seat = scene.seats[0]
    codes = [house.loop.run(miss(seat, code=draw_code())) for _ in range(2)]
    codes += [house.loop.run(miss(seat, day=seat.day + 1)) for _ in range(4)]
    assert codes == ["code-unknown"] * 2 + ["birth-mismatch"] * 2 + ["code-locked"] * 2

    def shown() -> dict[str, tuple[int, int]]:
        page = watcher.get(f"/sittings/{scene.sitting}/live?lang=en").text
        return {kind: (total(here), total(country)) for kind, here, country in ROW.findall(page)}

    def told() -> bool:
        lines = shown()
        # Other tests use the same engine: of the country there may be more.
        enough = {"Unknown code": 2, "Wrong day of birth": 3, "Locked code": 1}
        return all(lines[kind][1] >= count for kind, count in enough.items())

    until(told)
    assert (shown()["Wrong day of birth"][0], shown()["Locked code"][0]) == (3, 1)
    house.sql("update setting set value = $1 where name = 'sign_in_alarm'", {"per_minute": 1})
    assert "More than 1 is not usual" in watcher.get(f"/sittings/{scene.sitting}/live?lang=en").text
    house.sql("delete from setting where name = 'sign_in_alarm'")
    assert "is not usual" not in watcher.get(f"/sittings/{scene.sitting}/live?lang=en").text


def total(pair: str) -> int:
    """This minute and the one before, together."""
    return sum(int(part) for part in pair.replace("—", "0").split("/"))
