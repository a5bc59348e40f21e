"""The portal on the real servers of the run, and visitors who use it as a browser does."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import json
import re
import threading
from typing import TYPE_CHECKING

import asyncpg
import httpx
import msgspec
import pytest
from argon2 import PasswordHasher

from infra.local import environment
from infra.settings import PortalSettings, read
from portal.application import create_app
from portal.core.accounts import Place as Territory
from portal.core.accounts import create_staff, give_role, passwords
from portal.core.db import prepare
from portal.core.projects import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.parts.supervisor import Stack
    from portal.core.front import Front
    from tests.support.loop import Loop

PASSWORD = "steppe and sky"
# As the portal makes them; see `house`.
COSTLY = passwords.HASHER
TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
HTML = {"accept": "text/html"}
RAISED = """
    select exists (
        select
        from staff s
        join staff_grant g on g.staff_id = s.id and g.ends_at > now() and g.asleep_at is null
        join role r on r.code = g.role and r.raised
        where s.login = $1) as raised
"""
numbers = itertools.count(1)


def three(text: str) -> dict[str, str]:
    """The same text in three languages."""
    return dict.fromkeys(("kk", "ru", "en"), text)


class House:
    """The portal, its database, and the people who work in it."""

    def __init__(
        self, loop: Loop, front: Front, owner_url: str, settings: PortalSettings, owner: asyncpg.Pool[asyncpg.Record]
    ) -> None:
        self.loop, self.front, self.owner_url, self.settings = loop, front, owner_url, settings
        # Connections of the schema's owner that stay: one made anew for each of many thousand statements is half a run.
        self.owner = owner

    def sql(self, statement: str, *given: object) -> list[asyncpg.Record]:
        """Look, or set a scene, as the schema's owner."""

        async def run() -> list[asyncpg.Record]:
            async with self.owner.acquire() as db:
                return await db.fetch(statement, *given)

        return self.loop.run(run())

    def person(
        self,
        role: str,
        *,
        region: str | None = None,
        school: int | None = None,
        district: int | None = None,
        class_name: str = "",
        own: int | None = None,
        project: str = PROJECT,
        given_by: int | None = None,
    ) -> str:
        """A new login with one role; returns the login."""
        login = f"p{next(numbers)}"

        async def make() -> None:
            async with self.owner.acquire() as db:
                staff = await create_staff(
                    db, login=login, full_name=f"Адам {login}", password=PASSWORD, own_school_id=own
                )
                ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
                place = Territory(region=region, school=school, district=district, class_name=class_name)
                await give_role(
                    db, staff_id=staff, role=role, ends_at=ends, place=place, project=project, given_by=given_by
                )

        self.loop.run(make())
        return login

    def visitor(self, login: str | None = None, *, strict: bool = False) -> Visitor:
        """A browser; signed in if a login is given.

        Unless `strict`, the login is one of the demo's, which has no second factor, and a super-admin's session is raised.
        """
        visitor = Visitor(self)
        if login:
            if not strict:
                self.sql("update staff set demo = true where login = $1", login)
            answer = visitor.post("/sign-in", {"login": login, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
            visitor.token = None
            if not strict and self.sql(RAISED, login)[0]["raised"]:
                assert visitor.post("/raise", {"reason": "Тексеру", "minutes": "60"}).status_code == 303
        return visitor

    def worker(self, role: str, **where: object) -> Visitor:
        """A signed-in person of a role."""
        return self.visitor(self.person(role, **where))  # type: ignore[arg-type]


class Visitor:
    """A browser with its cookies; sends the form token of the last page."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.cookies = httpx.Cookies()
        self.token: str | None = None
        number = next(numbers)
        # An address of his own, so that a run of many visitors is no flood from one.
        self.address = f"10.9.{number // 250}.{number % 250}"

    def ask(self, method: str, path: str, **more: object) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.house.front, client=(self.address, 1), raise_app_exceptions=False)  # type: ignore[arg-type]
            async with httpx.AsyncClient(
                transport=transport, base_url="http://portal.test", cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, **{"headers": HTML, **more})  # type: ignore[arg-type]
                self.cookies.update(client.cookies)
                return answer

        return self.house.loop.run(send())

    def get(self, path: str, **more: object) -> httpx.Response:
        """Open a page."""
        return self.ask("GET", path, **more)

    def post(self, path: str, data: dict[str, object] | None = None, **more: object) -> httpx.Response:
        """Send a form."""
        if self.token is None:
            found = TOKEN.search(self.get("/account" if "elumiti_session" in self.cookies else "/sign-in").text)
            assert found
            self.token = found.group(1)
        return self.ask("POST", path, data={"csrf": self.token, **(data or {})}, **more)


@pytest.fixture(scope="session")
def house(stack: Stack, loop: Loop, owner_url: str) -> Iterator[House]:
    """The application with its pool, in the loop of the run."""
    settings = read(PortalSettings, environment(stack.home, "portal"))
    # Thousands of logins sign in once each: a fifth of a run's time would go into making their passwords hard to guess.
    # A browser's tests start the portal as a process of its own, with the real cost.
    passwords.HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    passwords.NOBODY = passwords.HASHER.hash("nobody")
    front = create_app(settings)
    started, stop = threading.Event(), asyncio.Event()

    # Statements are not kept: a test may alter what the next one's would have been planned for.
    owner = asyncpg.create_pool(owner_url, min_size=0, max_size=4, init=prepare, statement_cache_size=0, loop=loop.loop)

    async def live() -> None:
        # One task for both ends: a task group may not be left by another task than the one that entered it.
        async with owner, front.inner.lifespan():
            started.set()
            await stop.wait()

    living = asyncio.run_coroutine_threadsafe(live(), loop.loop)
    assert started.wait(30), living.exception(1)
    yield House(loop, front, owner_url, settings, owner)
    loop.loop.call_soon_threadsafe(stop.set)
    living.result(30)


class Place(msgspec.Struct, frozen=True):
    """A region of the test's own with two schools."""

    region: str
    schools: list[int]
    codes: list[str]


@pytest.fixture
def place(house: House) -> Place:
    """A region of this test's own."""
    mark = next(numbers)
    region = f"T{mark}"
    house.sql("insert into region values ($1, $2, $2, $2)", region, f"Өңір {mark}")
    district = house.sql(
        "insert into district (region_code, name_kk, name_ru, name_en) values ($1, $2, $2, $2) returning id",
        *(region, f"Аудан {mark}"),
    )[0]["id"]
    codes = [f"{region}-A", f"{region}-B"]
    schools = [
        house.sql(
            "insert into school (district_id, code, name_kk, name_ru, name_en) values ($1, $2, $3, $3, $3) returning id",
            *(district, code, f"Мектеп {code}"),
        )[0]["id"]
        for code in codes
    ]
    return Place(region, schools, codes)


def make_forms(house: House, how_many: int = 2) -> list[int]:
    """Sealed, packed forms of a new test."""
    mark = next(numbers)
    test = house.sql("insert into test (code, title) values ($1, $2) returning id", f"portal{mark}", three("Тест"))[0][
        "id"
    ]
    forms = []
    for number in range(how_many):
        form = house.sql(
            "insert into form (test_id, name, state) values ($1, $2, 'sealed') returning id", test, "ABCDEF"[number]
        )[0]["id"]
        house.sql(
            "insert into form_pack (form_id, manifest, item_map) values ($1, $2, $3)",
            form,
            "0" * 64,
            {"q1": {"id": 77}},
        )
        forms.append(form)
    return forms


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting with pupils."""

    id: int
    place: Place
    pupils: list[int]
    form: int


@pytest.fixture
def make_sitting(house: House, place: Place):  # noqa: ANN201 (a function whose type its use shows)
    """Make a sitting of this test's own region; three pupils, two in the first school."""

    def make(
        *, state: str = "published", starts_in_s: int = -60, form: int | None = None, reserve: int | None = None
    ) -> Scene:
        chosen = form or make_forms(house, 1)[0]
        start = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=starts_in_s)
        sitting = house.sql(
            """
            insert into sitting (test_id, form_id, title, waiting_opens_at, starts_at, last_entry_at, duration_s, state,
                                 help_name, help_phone, reserve_form_id)
            select test_id, id, $2, $3, $4, $5, 3600, $6, 'Гүлнар', '+7 700', $7 from form where id = $1
            returning id
            """,
            *(chosen, three("Сынақ"), start - dt.timedelta(minutes=30), start, start + dt.timedelta(minutes=15), state),
            reserve,
        )[0]["id"]
        house.sql("insert into sitting_region values ($1, $2)", sitting, place.region)
        pupils = [
            house.sql(
                """
                insert into participant (sitting_id, school_id, last_name, first_name, birth_date, grade, language,
                                         external_id)
                values ($1, $2, $3, $4, '2015-03-14', 5, 'kk', $5) returning id
                """,
                *(sitting, school, last, first, f"x{number}"),
            )[0]["id"]
            for number, (school, last, first) in enumerate(
                [
                    (place.schools[0], "Серікова", "Айгүл"),
                    (place.schools[0], "Әлиева", "Дана"),
                    (place.schools[1], "Бекова", "Нұргүл"),
                ]
            )
        ]
        return Scene(id=sitting, place=place, pupils=pupils, form=chosen)

    return make


def shown(value: object) -> str:
    """For failing assertions."""
    return json.dumps(value, ensure_ascii=False, default=str)
