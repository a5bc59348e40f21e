"""Each attempt's deadline from what Postgres holds: its start, its extra time, its controls.

The rule itself is engine.timing's; this module only gathers its inputs for a whole sitting (DESIGN §1, rules
9 and 10).
"""

from __future__ import annotations

import msgspec

from engine.controls import ControlBody, attempt_clock, decode_body, scopes_of
from engine.timing import AttemptClock, Restart, SittingClock, deadline_ms, last_possible_end_ms, times_of


class Control(msgspec.Struct, frozen=True):
    """A row of control. scope_id is text: a sitting's, school's or attempt's number, or a region's code."""

    scope: str
    scope_id: str
    version: int
    kind: str
    body: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where an attempt belongs, for the scopes of controls, and its own extra time."""

    sitting_id: int
    region_code: str
    school_id: int
    attempt_id: int
    extra_s: int


class Controls:
    """The controls of a sitting, ready to be asked for one attempt after the other."""

    def __init__(self, controls: list[Control]) -> None:
        self._by_scope: dict[tuple[str, str], list[tuple[Control, ControlBody]]] = {}
        for control in sorted(controls, key=lambda control: control.version):
            key = (control.scope, control.scope_id)
            self._by_scope.setdefault(key, []).append((control, decode_body(control.body)))

    def clock(self, place: Place, started_ms: int | None) -> AttemptClock:
        """The attempt's clock: within a scope the newest value stands, different scopes add up."""
        controls = (control for control, _ in self._concerning(place))
        return attempt_clock(controls, extra_s=place.extra_s, started_ms=started_ms)

    def deadline(self, sitting: SittingClock, place: Place, started_ms: int | None) -> int | None:
        """When the attempt's answers stop counting, Unix ms; None where the key was never released."""
        return deadline_ms(sitting, self.clock(place, started_ms))

    def last_end(self, sitting: SittingClock, longest_extra_s: int) -> int:
        """When the last attempt of the sitting can be over, grace included.

        An upper bound over all scopes.
        """
        given: dict[str, int] = {}
        held: dict[str, int] = {}
        credited = 0
        restarts: list[Restart] = []
        for (scope, _), controls in self._by_scope.items():
            for control, body in controls:
                if control.kind == "extra":
                    given[scope] = max(given.get(scope, 0), body.extra_s)
                if control.kind == "resume":
                    held[scope] = max(held.get(scope, 0), body.paused_s)
                if control.kind == "credit":
                    credited = max(credited, body.credit_s + body.entry_s)
                if control.kind == "restart":
                    restarts.append(Restart(body.starts_ms, body.last_entry_ms))
        longest_s = longest_extra_s + sum(given.values()) + sum(held.values()) + credited
        legs = [sitting, *(times_of(sitting, AttemptClock(restart=restart)) for restart in restarts)]
        return max(last_possible_end_ms(leg, longest_s) for leg in legs)

    def someone_is_paused(self) -> bool:
        """Whether a pause of some scope has not been lifted: then no last end is known."""
        newest = (
            [control.kind for control, _ in controls if control.kind in ("pause", "resume")]
            for controls in self._by_scope.values()
        )
        return any(kinds and kinds[-1] == "pause" for kinds in newest)

    def _concerning(self, place: Place) -> list[tuple[Control, ControlBody]]:
        scopes = scopes_of(place.sitting_id, place.region_code, place.school_id, place.attempt_id)
        found = [control for scope in scopes for control in self._by_scope.get(scope, ())]
        return sorted(found, key=lambda pair: pair[0].version)
