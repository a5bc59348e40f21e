"""A person's verdict: read from its form, said once, on record. The wall and the review take it alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from portal.core import audit
from portal.features.proctoring import queries
from portal.features.proctoring.structs import KIND_OF

if TYPE_CHECKING:
    from portal.core.accounts.structs import Actor
    from portal.core.db import Connection
    from portal.core.forms import Form


class Said(msgspec.Struct, frozen=True):
    """What is said, with a reason of the catalogue; a breach is told in words besides."""

    kind: str
    reason: str
    words: str


def read_form(form: Form) -> Said:
    """What was sent; what is missing stands in the form's errors. Each reason belongs to one verdict, and says which."""
    reason = form.choice("verdict", list(KIND_OF))
    kind = KIND_OF.get(reason, "")
    return Said(kind, reason, form.text("words", required=kind == "breach", most=500))


async def say(db: Connection, actor: Actor, sitting_id: int, attempt: int, said: Said, **beside: object) -> None:
    """Once: who spoke before changes nothing. `beside`: what the record says besides. In the caller's transaction.

    The trail names the verdict and does not tell it: who reads the trail may be whose own word is still wanted. What was said
    stands in its row, which nobody changes.
    """
    verdict = await queries.say(db, sitting_id, attempt, actor.staff_id, said.kind, said.reason, said.words)
    if verdict is not None:
        fact: dict[str, object] = {"verdict": verdict, **beside}
        await audit.record(db, actor, "watch.verdict.said", kind="participant", object_id=attempt, after=fact)
