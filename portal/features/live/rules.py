"""What a control says, and who has to agree. Pure: the target's standing values in, an order out."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from portal.core.i18n import ASTANA, N_, Text, clock, number, when
from portal.core.i18n.times import from_ms
from portal.core.sittings import to_ms
from portal.features.live.problems import (
    AlreadyPaused,
    AlreadyStopped,
    NoReserve,
    NothingStopped,
    NothingToResume,
    ReserveBurnt,
    RestartPast,
)
from portal.features.live.structs import Alarm, Count, Line, Order, Reserve, SchoolCount, Standing, Target, Wish

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portal.core.forms import Form

KINDS = {
    "message": N_("Send a message"),
    "erratum": N_("Correct a question"),
    "extra": N_("Give extra time"),
    "pause": N_("Pause the clock"),
    "resume": N_("Let the clock go on"),
    "end": N_("End now"),
    "reopen": N_("Take the hand-in back"),
    "stop": N_("Stop the sitting"),
    "restart": N_("Go on with the reserve form"),
}
# Nobody is moved to another form alone.
FOR_MANY = {"stop", "restart"}
ACTS = {
    "message": "control.message.sent",
    "erratum": "control.erratum.sent",
    "extra": "control.extra.given",
    "pause": "control.pause.begun",
    "resume": "control.pause.ended",
    "end": "control.attempt.ended",
    "reopen": "control.attempt.reopened",
    "stop": "control.sitting.stopped",
    "restart": "control.sitting.restarted",
}
PERMISSIONS = {
    "message": "control.message",
    "erratum": "control.message",
    "extra": "control.time",
    "pause": "control.time",
    "resume": "control.time",
    "end": "control.end",
    "reopen": "control.end",
    "stop": "control.end",
    "restart": "control.end",
}
SCOPES = {
    "attempt": N_("One pupil"),
    "school": N_("One school"),
    "region": N_("One region"),
    "sitting": N_("Everybody"),
}
# One person gives a pupil or a school this much in all; beyond it, two (SAFETY J5).
ALONE_S = 15 * 60
MOST_MINUTES = 240
MOST_TEXT = 400
# Players hear of a new start with their next save; a second person has to agree before.
ASKED_AHEAD = timedelta(minutes=10)
LEAST_AHEAD = timedelta(minutes=2)
LINK = re.compile(r"(https?:|www\.|[\w-]{1,63}\.(?:kz|ru|com|net|org|io|me)\b)", re.IGNORECASE)
# A gap of this many seconds between what was received and what is in Postgres is an alarm.
LAG_S = 15
SHARE_SILENT = 0.2


def read_wish(form: Form, kind: str, items: Mapping[str, int], now: datetime) -> Wish | None:
    """What the person filled in; None when `form.errors` says why not. `items`: code → id on the wire."""
    if kind == "extra":
        minutes = form.integer("minutes", least=1, most=MOST_MINUTES)
        return None if form.errors else Wish(kind=kind, minutes=minutes)
    if kind == "restart":
        return _read_restart(form, now)
    if kind not in {"message", "erratum"}:
        return Wish(kind=kind)
    texts = form.texts("text", most=MOST_TEXT)
    for language in ("kk", "ru", "en"):
        # Cut first: what is too long is refused anyway, and must not cost the others their time.
        if LINK.search(texts[language][:MOST_TEXT]):
            form.miss(f"text_{language}", N_("A message holds no address of a site: a pupil must not be led away."))
    code = form.values.get("item", "")
    if kind == "erratum" and code not in items:
        form.miss("item", N_("Please choose the question."))
    if form.errors:
        return None
    return Wish(kind=kind, text=texts, item=items.get(code), item_name=code)


def _read_restart(form: Form, now: datetime) -> Wish | None:
    starts = form.moment("starts_at")
    minutes = form.integer("entry_min", least=1, most=120, default=15)
    if starts is not None and starts < now + ASKED_AHEAD:
        form.miss(
            "starts_at",
            N_("At least {minutes} minutes ahead, so that a second person can agree and every pupil hears of it."),
            minutes=number(int(ASKED_AHEAD.total_seconds()) // 60),
        )
    return None if form.errors else Wish(kind="restart", starts_at=starts, entry_minutes=minutes)


def restart(standing: Standing, wish: Wish, reserve: Reserve | None) -> Order:
    """Going on with the reserve form: always by two persons, and at the one T0 that the form has (SAFETY D1)."""
    assert wish.starts_at is not None
    if standing.stopped_ms is None:
        raise NothingStopped
    if reserve is None or not reserve.sealed:
        raise NoReserve
    other = next((starts for starts in reserve.starts if starts != wish.starts_at), None)
    if other is not None:
        raise ReserveBurnt(when=when(other))
    last_entry = wish.starts_at + timedelta(minutes=wish.entry_minutes)
    return Order(
        kind="restart",
        body={"starts_ms": to_ms(wish.starts_at), "last_entry_ms": to_ms(last_entry), "manifest": reserve.manifest},
        two_persons=True,
        before={
            N_("Sitting"): Text(N_("stopped since {time}"), time=clock(from_ms(standing.stopped_ms), seconds=True))
        },
        after={
            N_("Form"): reserve.name,
            N_("New start"): when(wish.starts_at),
            N_("Last entry"): when(last_entry),
        },
    )


def next_start(now: datetime) -> datetime:
    """What the form proposes: the next full half hour that leaves time to agree, by the clock of Astana."""
    soonest = now.astimezone(ASTANA) + ASKED_AHEAD + timedelta(minutes=5)
    return soonest.replace(minute=soonest.minute // 30 * 30, second=0, microsecond=0) + timedelta(minutes=30)


def require_ahead(body: Mapping[str, int], now: datetime) -> None:
    """When the second person agrees, the new start still lies ahead."""
    starts = from_ms(body["starts_ms"])
    if starts < now + LEAST_AHEAD:
        raise RestartPast(when=when(starts))


def order(target: Target, standing: Standing, wish: Wish, now_ms: int) -> Order:
    """The control with its absolute value, and whether a second person has to agree."""
    wide = target.scope in {"sitting", "region"}
    match wish.kind:
        case "extra":
            total = standing.extra_s + 60 * wish.minutes
            return Order(
                kind="extra",
                body={"extra_s": total},
                two_persons=wide or total > ALONE_S or target.ended,
                before={N_("Extra time given here"): _minutes(standing.extra_s)},
                after={N_("Extra time given here"): _minutes(total)},
            )
        case "pause":
            if standing.paused_since_ms is not None:
                raise AlreadyPaused
            return Order(
                kind="pause",
                body={"since_ms": now_ms},
                two_persons=wide,
                before={N_("Clock"): Text(N_("runs"))},
                after={N_("Clock"): Text(N_("stands still"))},
            )
        case "resume":
            if standing.paused_since_ms is None:
                raise NothingToResume
            paused_s = standing.paused_s + max(0, now_ms - standing.paused_since_ms) // 1000
            # Going on gives back what the pause took: one person may, or children would wait for a signature.
            return Order(
                kind="resume",
                body={"paused_s": paused_s},
                two_persons=False,
                before={
                    N_("Clock"): str(
                        Text(
                            N_("stands still since {time}"), time=clock(from_ms(standing.paused_since_ms), seconds=True)
                        )
                    )
                },
                after={N_("Clock"): Text(N_("runs")), N_("Time given back in all"): _minutes(paused_s)},
            )
        case "end":
            return Order(
                kind="end",
                body={"at_ms": now_ms},
                two_persons=target.scope != "attempt",
                before={N_("Attempts"): Text(N_("go on"))},
                after={N_("Attempts"): Text(N_("end at {time}"), time=clock(from_ms(now_ms), seconds=True))},
            )
        case "stop":
            if standing.stopped_ms is not None:
                raise AlreadyStopped
            return Order(
                kind="stop",
                body={"at_ms": now_ms},
                two_persons=wide,
                before={N_("Sitting"): Text(N_("under way"))},
                after={
                    N_("Sitting"): Text(N_("stopped: nobody opens the form any more; all answers are kept")),
                },
            )
        case "reopen":
            return Order(
                kind="reopen",
                body={"at_ms": now_ms},
                two_persons=True,
                before={N_("Attempts"): Text(N_("handed in"))},
                after={N_("Attempts"): Text(N_("go on until their time is over"))},
            )
        case "erratum":
            return Order(
                kind="erratum",
                body={"item": wish.item, "text": wish.text},
                two_persons=wide,
                before={N_("Question"): wish.item_name},
                after={N_("Question"): wish.item_name, N_("Text"): wish.text["kk"]},
            )
        case _:
            return Order(
                kind="message",
                body={"text": wish.text},
                two_persons=wide,
                before={N_("Message"): "—"},
                after={N_("Message"): wish.text["kk"]},
            )


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


def _minutes(seconds: int) -> Text:
    return Text(N_("{minutes} min {seconds} s"), minutes=seconds // 60, seconds=seconds % 60)
