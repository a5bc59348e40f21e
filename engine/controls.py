"""What controls come to for one attempt: a pure fold, used by the engine's board and by scoring alike (rule 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from engine.timing import AttemptClock, Restart

if TYPE_CHECKING:
    from collections.abc import Iterable


class ControlBody(msgspec.Struct, frozen=True):
    """The absolute values that the kinds of control carry (docs/protocol.md)."""

    extra_s: int = 0
    since_ms: int = 0
    paused_s: int = 0
    at_ms: int = 0
    starts_ms: int = 0
    last_entry_ms: int = 0
    credit_s: int = 0
    entry_s: int = 0


class Control(Protocol):
    """A control of whatever origin."""

    @property
    def scope(self) -> str:
        """`sitting`, `region`, `school` or `attempt`."""
        ...

    @property
    def kind(self) -> str:
        """As in docs/protocol.md."""
        ...

    @property
    def body(self) -> str | bytes:
        """JSON."""
        ...


class KeptControl(msgspec.Struct, frozen=True):
    """A control as it stands in Postgres."""

    scope: str
    scope_id: str
    kind: str
    body: str


decode_body = msgspec.json.Decoder(ControlBody).decode


def scopes_of(sitting: int, region: str, school: int, attempt: int) -> tuple[tuple[str, str], ...]:
    """The scopes whose controls concern an attempt."""
    return (("sitting", str(sitting)), ("region", region), ("school", str(school)), ("attempt", str(attempt)))


def attempt_clock(controls: Iterable[Control], *, extra_s: int, started_ms: int | None) -> AttemptClock:
    """The clock of an attempt after the controls that concern it, given by ascending version.

    Within a scope the newest value stands, for each is absolute; extra time and pauses of different scopes add up.
    A restart begins anew: what was given and taken before it was the stopped form's, and so was an earlier start.
    """
    restart: Restart | None = None
    extra: dict[str, int] = {}
    paused: dict[str, int] = {}
    paused_since: dict[str, int] = {}
    ended: dict[str, int] = {}
    credit_s = entry_s = 0
    for control in controls:
        match control.kind:
            case "extra":
                extra[control.scope] = decode_body(control.body).extra_s
            case "pause":
                paused_since[control.scope] = decode_body(control.body).since_ms
            case "resume":
                paused[control.scope] = decode_body(control.body).paused_s
                paused_since.pop(control.scope, None)
            case "credit":
                # Of an attempt alone; by rule, so beside what persons gave it.
                body = decode_body(control.body)
                credit_s, entry_s = body.credit_s, body.entry_s
            case "end" | "stop":
                ended[control.scope] = decode_body(control.body).at_ms
            case "reopen":
                # Taking back a hand-in lifts every end that came before it.
                ended.clear()
            case "restart":
                body = decode_body(control.body)
                restart = Restart(body.starts_ms, body.last_entry_ms)
                for given in (extra, paused, paused_since, ended):
                    given.clear()
                credit_s = entry_s = 0
            case _:
                pass
    if restart is not None and started_ms is not None and started_ms < restart.starts_ms:
        started_ms = None
    return AttemptClock(
        started_ms=started_ms,
        extra_s=extra_s + sum(extra.values()),
        paused_since_ms=min(paused_since.values(), default=None),
        paused_s=sum(paused.values()),
        credit_s=credit_s,
        entry_s=entry_s,
        ended_ms=min(ended.values(), default=None),
        restart=restart,
    )
