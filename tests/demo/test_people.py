"""The drawn people are plausible, whole, and the same on every machine."""

from __future__ import annotations

from collections import Counter
from datetime import date

from portal.demo.people import PUPILS, draw_people


def test_same_seed_draws_the_same_people() -> None:
    """The demo of two machines shows the same children."""
    assert draw_people() == draw_people()
    assert draw_people(seed=1) != draw_people(seed=2)


def test_every_region_sends_pupils_and_their_number_is_exact() -> None:
    """500 pupils from schools of all 20 regions."""
    people = draw_people()
    district = {school.code: school.district for school in people.schools}
    region = {d.key: d.region_code for d in people.districts}
    sent = Counter(region[district[pupil.school]] for pupil in people.pupils)
    assert len(people.pupils) == PUPILS
    assert set(sent) == {r.code for r in people.regions}
    assert len(sent) == 20


def test_identities_do_not_repeat() -> None:
    """External ids, school codes and districts of a region are unique, as the tables demand."""
    people = draw_people()
    assert len({p.external_id for p in people.pupils}) == len(people.pupils)
    assert len({s.code for s in people.schools}) == len(people.schools)
    assert len({(d.region_code, d.name_kk) for d in people.districts}) == len(people.districts)
    assert len({(p.school, p.last_name, p.first_name) for p in people.pupils}) == len(people.pupils)


def test_pupils_are_of_grades_5_and_6() -> None:
    """Grade and age fit; most write in Kazakh, some in Russian."""
    pupils = draw_people().pupils
    for pupil in pupils:
        assert pupil.grade in (5, 6)
        assert date(2014, 1, 1) <= pupil.birth_date <= date(2016, 12, 31)
    languages = Counter(p.language for p in pupils)
    assert languages["kk"] > languages["ru"] > 0


def test_pupils_of_some_schools_sit_in_rooms() -> None:
    """Of at least two schools, in more rooms than one; most sit at home."""
    seated = [pupil for pupil in draw_people().pupils if pupil.room]
    assert len({pupil.school for pupil in seated}) >= 2
    assert {pupil.room for pupil in seated} == {"3-кабинет", "Спортзал"}
    assert 0 < len(seated) < PUPILS / 4


def test_telephones_are_of_the_demo_range() -> None:
    """No number of the demo can ring at somebody's home."""
    schools = draw_people().schools
    assert all(s.contact_phone.startswith("+7 700 000 ") and len(s.contact_phone) == 16 for s in schools)
    assert len({s.contact_phone for s in schools}) == len(schools)
