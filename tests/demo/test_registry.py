"""The demo's persons: numbers that hold, projects that exist, and some of them twice."""

from __future__ import annotations

from collections import Counter

from portal.core.iin import Iin, parse
from portal.core.names import fold
from portal.demo.people import draw_people
from portal.demo.registry import FIELDS, TWICE, draw_registry
from portal.features.persons.structs import ROLES


def test_the_demo_s_persons_are_whole() -> None:
    """Three thousand; every IIN fits birth date and sex, every role and value is one of the project's."""
    known = draw_registry(draw_people())
    assert 2900 < len(known) < 3200
    codes = {(field["project"], field["code"]) for field in FIELDS}
    for one in known:
        if one.iin:
            iin = parse(one.iin)
            assert isinstance(iin, Iin)
            assert (iin.birth_date, iin.sex) == (one.pupil.birth_date, one.pupil.gender)
        for project, (role, own) in one.parts.items():
            assert role in ROLES[project]
            assert {(project, code) for code in own} <= codes
    seen = Counter((fold(f"{one.pupil.last_name} {one.pupil.first_name}"), one.pupil.birth_date) for one in known)
    assert sum(count > 1 for count in seen.values()) >= TWICE - 2
