"""Sums and alarms of the live view. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.i18n import N_, number
from portal.features.live.structs import Alarm, Count, Line, SchoolCount

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# A gap of this many seconds between what was received and what is in Postgres is an alarm.
LAG_S = 15
SHARE_SILENT = 0.2


def by_region(schools: Iterable[SchoolCount], names: Mapping[str, dict[str, str]]) -> list[Line]:
    """Sums of regions, in the order of `names`."""
    sums: dict[str, Count] = {}
    for school in schools:
        sums.setdefault(school.region_code, Count()).add(school.count)
    return [Line(key=code, name=name, count=sums[code]) for code, name in names.items() if code in sums]


def in_all(schools: Iterable[SchoolCount]) -> Count:
    """The sum of all."""
    total = Count()
    for school in schools:
        total.add(school.count)
    return total


def device_alarms(waiting: int, shared: int, beyond: int, place: str) -> list[Alarm]:
    """Devices that a person should look at. In a supervised hall children share phones: that is no alarm there."""
    found: list[Alarm] = []
    if waiting:
        text = N_("Devices held back: {count}.")
        advice = N_(
            "A third device asked for an attempt within ten minutes. Call the child, then let it in on the pupil's page."
        )
        found.append(Alarm(tone="sun", text=text, advice=advice, values={"count": number(waiting)}))
    if shared and place == "home":
        text = N_("Phones with several attempts at one time: {count}.")
        advice = N_("Siblings may share a phone one after the other, not at one time. The pupils' pages show who.")
        found.append(Alarm(tone="sun", text=text, advice=advice, values={"count": number(shared)}))
    if beyond:
        text = N_("Pupils beyond their limits: {count}.")
        advice = N_(
            "Their devices send more than a pupil can, and are slowed down alone. The pupils' pages show which limit."
        )
        found.append(Alarm(tone="sun", text=text, advice=advice, values={"count": number(beyond)}))
    return found


def room_alarms(early: int, foreign: int) -> list[Alarm]:
    """Tests that a room's code opened where or when it should not have."""
    found: list[Alarm] = []
    if early:
        text = N_("A room's code opened the test before the start: {count} devices.")
        advice = N_(
            "A code got out. The room's codes are closed, a spare one takes their place; the page of room codes names room and pupil. "
            "Decide whether the form is still good."
        )
        found.append(Alarm(tone="clay", text=text, advice=advice, values={"count": number(early)}))
    if foreign:
        text = N_("Devices that name another room's code: {count}.")
        advice = N_("No honest page can do that. The page of room codes names the pupils: call their room.")
        found.append(Alarm(tone="sun", text=text, advice=advice, values={"count": number(foreign)}))
    return found


def alarms(count: Count, conflicts: int, dead: int, lag_s: float | None) -> list[Alarm]:
    """What must not be overlooked, worst first."""
    found: list[Alarm] = []
    if dead:
        text = N_("Events that could not be stored: {count}.")
        advice = N_(
            "They lie in the table of dead letters with their reason. Call the engineers: nothing is lost, but somebody must look."
        )
        found.append(Alarm(tone="clay", text=text, advice=advice, values={"count": number(dead)}))
    if lag_s is None:
        advice = N_("Answers are kept on the pupils' devices. Call the engineers.")
        found.append(Alarm(tone="clay", text=N_("The stream of answers does not reply."), advice=advice, values={}))
    elif lag_s > LAG_S:
        text = N_("Answers wait for the database: the oldest for {seconds} seconds.")
        advice = N_("They are on disk already. If this grows for five minutes, call the engineers.")
        found.append(Alarm(tone="sun", text=text, advice=advice, values={"seconds": number(lag_s)}))
    if count.started > 20 and count.silent > SHARE_SILENT * max(1, count.started - count.finished):
        text = N_("Silent pupils: {count} of {writing} who write.")
        advice = N_("Look which region or school they are in: a whole place without a line gets its time back.")
        values = {"count": number(count.silent), "writing": number(count.started - count.finished)}
        found.append(Alarm(tone="sun", text=text, advice=advice, values=values))
    if conflicts:
        text = N_("Answers that came twice with different content: {count}.")
        advice = N_("Both are kept. The pupil's page shows when; a copied device is the usual cause.")
        found.append(Alarm(tone="sun", text=text, advice=advice, values={"count": number(conflicts)}))
    return found
