"""Draws the people of the demo: regions, districts, schools and pupils, the same for the same seed.

Districts are facts; schools, pupils, contact persons and telephone numbers are invented. Nobody here exists.
"""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Literal

import msgspec

from portal.demo.structs import District, People, Pupil, Region, School

DATA = Path(__file__).parent / "data"
SEED = 20261124
PUPILS = 500
# How many of the pupils a region sends, in parts; by feel of where village schools are, not by statistics.
PARTS = {
    "KZ-61": 9, "KZ-19": 7, "KZ-31": 6, "KZ-43": 5, "KZ-33": 4, "KZ-10": 4, "KZ-11": 4, "KZ-27": 4,
    "KZ-15": 4, "KZ-63": 4, "KZ-39": 4, "KZ-59": 4, "KZ-35": 4, "KZ-55": 3, "KZ-23": 3, "KZ-47": 3,
    "KZ-62": 2, "KZ-71": 2, "KZ-75": 2, "KZ-79": 2,
}  # fmt: skip
# In the north and east more village schools teach in Russian.
RUSSIAN_SHARE = {
    "KZ-59": 0.5,
    "KZ-39": 0.45,
    "KZ-11": 0.35,
    "KZ-55": 0.35,
    "KZ-63": 0.3,
    "KZ-35": 0.25,
}
RUSSIAN_SHARE_ELSEWHERE = 0.07
SCHOOLS_A_DISTRICT = 2
# Of those who answer a school's telephone.
SHARE_OF_WOMEN = 0.7
PATRONYMIC_SHARE = 0.7
EXTRA_TIME_SHARE = 0.02
EXTRA_MINUTES = 20
# Most pupils sit at home; the schools that send most have a supervised room or two.
SCHOOLS_WITH_ROOMS = 3
ROOMS = ("3-кабинет", "Спортзал")
# Grade → first birthday of the school year's children; a year of birthdays follows.
BORN_FROM = {5: date(2015, 9, 1), 6: date(2014, 9, 1)}
BORN_WITHIN_DAYS = 365
Gender = Literal["f", "m"]


class Name(msgspec.Struct, frozen=True):
    """One spelling a language of a given name or a surname."""

    kk: str
    ru: str


class NameStock(msgspec.Struct, frozen=True):
    """Names to draw from, by gender; surnames stand in pairs of the same place."""

    given: dict[Gender, tuple[Name, ...]]
    surnames: dict[Gender, tuple[Name, ...]]

    def person(self, random: Random, gender: Gender, language: str) -> tuple[str, str, str]:
        """Last, first and middle name (often empty), spelled for the language."""
        last, first = (
            random.choice(self.surnames[gender]),
            random.choice(self.given[gender]),
        )
        father = random.choice(self.given["m"])
        spelled = "ru" if language == "ru" else "kk"
        ending = {"kk": {"m": "ұлы", "f": "қызы"}, "ru": {"m": "улы", "f": "кызы"}}[spelled][gender]
        middle = f"{getattr(father, spelled)}{ending}" if random.random() < PATRONYMIC_SHARE else ""
        return getattr(last, spelled), getattr(first, spelled), middle


def draw_people(seed: int = SEED, pupils: int = PUPILS) -> People:
    """The demo's people; the same seed and number give the same people, on any machine."""
    random = Random(seed)
    names = _names()
    regions = tuple(Region(row["code"], row["name_kk"], row["name_ru"], row["name_en"]) for row in _rows("regions.csv"))
    districts = _districts()
    schools = _schools(random, names, districts)
    return People(
        regions=regions,
        districts=districts,
        schools=schools,
        pupils=_pupils(random, names, districts, schools, pupils),
    )


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _names() -> NameStock:
    def chosen(kind: str, gender: Gender) -> tuple[Name, ...]:
        rows = [row for row in _rows("names.csv") if row["kind"] == kind and row["gender"] == gender]
        return tuple(Name(row["kk"], row["ru"]) for row in rows)

    genders: tuple[Gender, ...] = ("f", "m")
    return NameStock(
        given={gender: chosen("given", gender) for gender in genders},
        surnames={gender: chosen("surname", gender) for gender in genders},
    )


def _districts() -> tuple[District, ...]:
    made: list[District] = []
    for row in _rows("districts.csv"):
        number = 1 + sum(district.region_code == row["region_code"] for district in made)
        made.append(
            District(
                key=f"{row['region_code']}-{number:02d}",
                region_code=row["region_code"],
                name_kk=row["name_kk"],
                name_ru=row["name_ru"],
                name_en=row["name_en"],
            )
        )
    return tuple(made)


def _schools(random: Random, names: NameStock, districts: tuple[District, ...]) -> tuple[School, ...]:
    namesakes = _rows("school_names.csv")
    made: list[School] = []
    for district in districts:
        numbers = sorted(random.sample(range(1, 48), SCHOOLS_A_DISTRICT))
        for place, (number, namesake) in enumerate(
            zip(numbers, random.sample(namesakes, len(numbers)), strict=True), 1
        ):
            gender: Gender = "f" if random.random() < SHARE_OF_WOMEN else "m"
            last, first, middle = names.person(random, gender, "kk")
            phone = f"{len(made):04d}"
            made.append(
                School(
                    code=f"{district.key.removeprefix('KZ-')}-{place}",
                    district=district.key,
                    name_kk=f"{namesake['kk']} атындағы № {number} жалпы білім беретін мектеп",
                    name_ru=f"Общеобразовательная школа № {number} имени {namesake['ru']}",
                    name_en=f"{namesake['en']} School No. {number}",
                    contact_name=" ".join(filter(None, (last, first, middle))),
                    contact_phone=f"+7 700 000 {phone[:2]} {phone[2:]}",
                )
            )
    return tuple(made)


def _quota(pupils: int) -> dict[str, int]:
    """Whole numbers of pupils a region by largest remainder.

    They add up to `pupils`, and no region is left out.
    """
    total = sum(PARTS.values())
    shares = {code: pupils * part / total for code, part in PARTS.items()}
    counts = {code: int(share) for code, share in shares.items()}
    by_remainder = sorted(PARTS, key=lambda code: (counts[code] - shares[code], code))
    for code in by_remainder[: pupils - sum(counts.values())]:
        counts[code] += 1
    return counts


def _pupils(
    random: Random,
    names: NameStock,
    districts: tuple[District, ...],
    schools: tuple[School, ...],
    pupils: int,
) -> tuple[Pupil, ...]:
    region_of = {district.key: district.region_code for district in districts}
    made: list[Pupil] = []
    taken: set[tuple[str, str, str]] = set()
    for region, count in sorted(_quota(pupils).items()):
        places = [school for school in schools if region_of[school.district] == region]
        weights = [random.uniform(0.5, 1.5) for _ in places]
        russian = {
            school.code: random.random() < RUSSIAN_SHARE.get(region, RUSSIAN_SHARE_ELSEWHERE) for school in places
        }
        for school in sorted(random.choices(places, weights, k=count), key=lambda school: school.code):
            language: Literal["kk", "ru"] = "ru" if russian[school.code] else "kk"
            gender: Gender = random.choice(("f", "m"))
            last, first, middle = names.person(random, gender, language)
            while (school.code, last, first) in taken:
                last, first, middle = names.person(random, gender, language)
            taken.add((school.code, last, first))
            grade = random.choice((5, 6))
            made.append(
                Pupil(
                    external_id=f"MB-{len(made) + 1:05d}",
                    school=school.code,
                    last_name=last,
                    first_name=first,
                    middle_name=middle,
                    birth_date=BORN_FROM[grade] + timedelta(days=random.randrange(BORN_WITHIN_DAYS)),
                    gender=gender,
                    grade=grade,
                    class_letter=random.choice("АӘБ" if language == "kk" else "АБВ"),
                    room="",
                    language=language,
                    extra_minutes=EXTRA_MINUTES if random.random() < EXTRA_TIME_SHARE else 0,
                )
            )
    return _with_rooms(made)


def _with_rooms(pupils: list[Pupil]) -> tuple[Pupil, ...]:
    """Pupils of the largest schools sit in rooms, in turn."""
    sizes = Counter(pupil.school for pupil in pupils)
    supervised = sorted(sizes, key=lambda school: (-sizes[school], school))[:SCHOOLS_WITH_ROOMS]
    place: Counter[str] = Counter()
    seated: list[Pupil] = []
    for pupil in pupils:
        room = ""
        if pupil.school in supervised:
            room = ROOMS[place[pupil.school] % len(ROOMS)]
            place[pupil.school] += 1
        seated.append(msgspec.structs.replace(pupil, room=room))
    return tuple(seated)
