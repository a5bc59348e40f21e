"""What a row of an import must hold, and why a pupil isn't in. Pure: no file, no database, no clock of its own."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from portal.core.files.rows import GENDER_WORDS, LANGUAGE_WORDS, MOST_NAME, Row, RowError
from portal.core.i18n import N_, clock, when
from portal.core.i18n.times import from_ms
from portal.core.ui.devices import device
from portal.features.participants.structs import Checked, NewParticipant, Participant, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from portal.core.sittings import SittingHead

MOST_ERRORS = 1000
GRADES = range(1, 13)
AGES = range(5, 26)
MOST_EXTRA = 240
# Bounds of one pupil, as engine.protocol.OverLimit names them; the last three stay full.
LIMITS = {
    "reports": N_("He reported more than 10 questions; refused {count} times."),
    "re-entries": N_("His devices asked for his answers more than twice a minute; refused {count} times."),
    "saves": N_("His device saved more often than a pupil can; refused {count} times."),
    "events": N_("His devices have sent 20,000 events; no more are taken, refused {count} times."),
    "bytes": N_("His devices have sent 8 MB; no more is taken, refused {count} times."),
    "poison": N_("His device sent events that the database cannot hold; no more are taken, refused {count} times."),
}
FULL = ("events", "bytes", "poison")
BEYOND = N_("His earlier answers are kept. Look at his device; if it has answers left, take its rescue file in.")


def check_rows(
    rows: Iterable[tuple[int, Mapping[str, str]]],
    schools: Mapping[str, int],
    taken: AbstractSet[str],
    today: date,
    seen_row: Callable[[int], None] = lambda _number: None,
) -> Checked:
    """All rows checked. `schools`: code → id in the actor's territory; `taken`: external ids of the sitting."""
    good: list[NewParticipant] = []
    errors: list[RowError] = []
    unusual: list[RowError] = []
    ids: dict[str, int] = {}
    for number, raw in rows:
        seen_row(number)
        row = _Row(number, raw, errors, unusual)
        row.unique(ids, taken)
        made = row.participant(schools, today)
        if made is not None:
            good.append(made)
    return Checked(good, errors, unusual)


class _Row(Row):
    """One row under check; misses go to the common list."""

    def unique(self, ids: dict[str, int], taken: AbstractSet[str]) -> None:
        value = self.value("external_id")
        if not value:
            self.miss("external_id", N_("Please give an id by which you will know this pupil again."))
        elif len(value) > 64:
            self.miss("external_id", N_("At most 64 characters."))
        elif len(value) == 12 and value.isdigit():
            self.miss("external_id", N_("This looks like an IIN. Give another id: an IIN does not belong into lists."))
        elif value in ids:
            self.miss(
                "external_id",
                N_("The same id stands in row {row}. Each pupil needs an id of his own."),
                row=str(ids[value]),
            )
        elif value in taken:
            self.miss("external_id", N_("A pupil with this id is in the sitting already."))
        ids.setdefault(value, self.number)

    def birth(self, today: date) -> date:
        born = self.day("birth_date")
        if born is not None and (today.year - born.year) not in AGES:
            self.miss("birth_date", N_("A pupil is between 5 and 25 years old."))
        return born or today

    def participant(self, schools: Mapping[str, int], today: date) -> NewParticipant | None:
        school_id = schools.get(self.value("school_code"))
        if school_id is None:
            self.miss(
                "school_code", N_("There is no school with this code in the regions of this sitting that are yours.")
            )
        last, first = self.name("last_name", required=True), self.name("first_name", required=True)
        middle = self.name("middle_name", required=False)
        born = self.birth(today)
        gender = self.word("gender", GENDER_WORDS, N_("«қ» or «е», «ж» or «м», or nothing."), required=False)
        grade = self.whole("grade", GRADES, N_("A grade from 1 to 12 is needed."))
        extra = self.whole("extra_minutes", range(MOST_EXTRA + 1), N_("Minutes from 0 to 240, or nothing."), "0")
        language = self.word("language", LANGUAGE_WORDS, N_("«қаз», «рус» or «eng» is needed."), required=True)
        room = self.value("room")
        self.fits("room", room, MOST_NAME)
        letter = self.value("class_letter")
        if len(letter) > 4:
            self.miss("class_letter", N_("At most 4 characters."))
        if not self.clean or school_id is None or language is None:
            return None
        return NewParticipant(
            school_id=school_id,
            last_name=last,
            first_name=first,
            middle_name=middle,
            birth_date=born,
            gender=gender,
            grade=grade,
            class_letter=letter,
            room=room,
            language=language,
            extra_minutes=extra,
            external_id=self.value("external_id"),
        )


def why(head: SittingHead, pupil: Participant, now: datetime) -> list[Reason]:
    """What keeps this pupil out, or how far he is; the first is the most likely."""
    found = [*_door(head, pupil, now)]
    if pupil.signed_in_at is None:
        return found or [
            Reason(
                tone="sun",
                text=N_("He has not typed his code yet."),
                advice=N_("Slip, phone and network are in order as far as we can see. Ask what his screen says."),
            )
        ]
    if pupil.started_at is None:
        text = N_("He is in the waiting room, or his page is closed: he signed in {when}.")
        found.append(Reason(tone="sky", text=text, values={"when": when(pupil.signed_in_at)}))
    elif pupil.finished_at is not None:
        found.append(_finish(pupil))
    else:
        found.append(_writing(head, pupil, now))
    if pupil.is_held:
        text = N_("New devices were held back {count} times, the last one ({device}) at {time}.")
        advice = N_("Call the pupil. If the new device is his, let it in; if not, his own goes on by itself.")
        values = {
            "count": str(pupil.held_tries),
            "device": device(pupil.held_agent),
            "time": clock(from_ms(pupil.held_newest_ms or 0)),
        }
        found.append(Reason(tone="clay", text=text, advice=advice, values=values))
    found += [
        Reason(tone="clay" if name in FULL else "sun", text=LIMITS[name], advice=BEYOND, values={"count": str(times)})
        for name, times in sorted(pupil.limits.items())
    ]
    if pupil.conflicts:
        text = N_("Two different answers came under one number: {count}. Both are kept.")
        found.append(Reason(tone="sun", text=text, values={"count": str(pupil.conflicts)}))
    return found


def _door(head: SittingHead, pupil: Participant, now: datetime) -> Iterable[Reason]:
    if head.state == "draft":
        yield Reason(
            tone="clay", text=N_("The sitting is a draft: no code opens anything yet."), advice=N_("Publish it.")
        )
    if pupil.locked_at is not None:
        advice = N_("Compare birth date and slip with the class list, then unlock the code.")
        yield Reason(
            tone="clay",
            text=N_("His code is locked since {when}."),
            advice=advice,
            values={"when": when(pupil.locked_at)},
        )
    elif pupil.birth_misses:
        text = N_("Birth date given wrongly: {count} times. After three misses the code locks.")
        yield Reason(tone="sun", text=text, values={"count": str(pupil.birth_misses)})
    if not pupil.has_code:
        yield Reason(tone="clay", text=N_("No slip was printed for him yet."), advice=N_("Print one on this page."))
    if pupil.signed_in_at is None and now < head.waiting_opens_at:
        yield Reason(
            tone="sky", text=N_("The waiting room opens at {time}."), values={"time": clock(head.waiting_opens_at)}
        )
    if pupil.started_at is None and now > head.last_entry_at:
        advice = N_("This form is closed to him; the reserve day has another one.")
        yield Reason(
            tone="clay",
            text=N_("The last entry was at {time}."),
            advice=advice,
            values={"time": clock(head.last_entry_at)},
        )


def _finish(pupil: Participant) -> Reason:
    if pupil.sealed_at is not None:
        values = {"when": when(pupil.sealed_at), "code": pupil.seal_code or ""}
        return Reason(tone="leaf", text=N_("He has finished; his receipt {code} was sealed {when}."), values=values)
    advice = N_("Keep his page open with a network until the receipt appears.")
    return Reason(
        tone="sun", text=N_("He has finished, but some of his answers are still on his device."), advice=advice
    )


def _writing(head: SittingHead, pupil: Participant, now: datetime) -> Reason:
    # Whose first save is still to come is not silent yet: his time counts from the start.
    last = from_ms(pupil.last_received_ms) if pupil.last_received_ms else None
    since = last or pupil.started_at or now
    if last is None and now - since <= head.silent_after:
        return Reason(
            tone="leaf",
            text=N_("He began at {when}; his first answers are on their way."),
            values={"when": clock(since)},
        )
    if last is None or now - last > head.silent_after:
        advice = N_("His answers are kept on his device and come when the line is back. Call the school if it lasts.")
        return Reason(
            tone="sun",
            text=N_("He writes, but nothing was heard since {when}."),
            advice=advice,
            values={"when": clock(since, seconds=True)},
        )
    values = {"when": clock(last, seconds=True), "count": str(pupil.answered or 0)}
    return Reason(tone="leaf", text=N_("He writes. Questions answered: {count}; last heard at {when}."), values=values)


def may_change(head: SittingHead, now: datetime) -> bool:
    """Before the start one person imports and undoes; after it, two (SAFETY J5)."""
    return head.state in {"draft", "published"} and now < head.starts_at
