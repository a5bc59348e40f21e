"""What a control says, and who has to agree. Pure: the target's standing values in, an order out."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from portal.core.controls.problems import (
    AlreadyPaused,
    AlreadyStopped,
    NoReserve,
    NothingStopped,
    NothingToResume,
    ReserveBurnt,
    RestartPast,
)
from portal.core.controls.structs import Order, Reserve, Standing, Target, Wish
from portal.core.i18n import ASTANA, N_, Text, clock, when
from portal.core.i18n.times import from_ms
from portal.core.sittings import to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

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
                # Not the moment of asking: a second person agrees later, and it counts from then.
                after={N_("Attempts"): Text(N_("end as soon as this is done"))},
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


def _minutes(seconds: int) -> Text:
    return Text(N_("{minutes} min {seconds} s"), minutes=seconds // 60, seconds=seconds % 60)
