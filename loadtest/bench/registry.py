"""`registry_search_p95_ms`, `registry_page_p95_ms`, `registry_import_100k_s`: the registry of persons at five millions.

Through the portal's own HTTP, as staff of the country, of a region, of a school, of own pupils: the page with its names,
filters and count, not the query alone. Nothing is asked twice, so that no cache of ours could help.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import sys
import time
from typing import TYPE_CHECKING

import aiohttp
import msgspec

from infra.local import Ports
from infra.parts.supervisor import command_argv, portal_argv, remember_ports
from loadtest.bench.figures import Figure, write
from loadtest.bench.stack import fresh_stack

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack

PERSONS = 5_000_000
ASKED = 400
ROWS = 100_000
LIMITS = {"registry_search_p95_ms": 200.0, "registry_page_p95_ms": 100.0, "registry_import_100k_s": 60.0}
SEED = 26
TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
# What another hand or another alphabet makes of a name.
RUSSIAN = str.maketrans("әғқңөұүіһӘҒҚҢӨҰҮІҺ", "агкноууихАГКНОУУИХ")
LATIN = dict(
    zip(
        "абвгдежзийклмнопрстуфхцчшщъыьэюяәғқңөұүһі",
        "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh sh _ y _ e yu ya a g k n o u u h i".replace(
            "_", ""
        ).split(" "),
        strict=True,
    )
)


class Asked(msgspec.Struct):
    """Milliseconds of each answer, and how many answers had a person in them."""

    took_ms: list[float] = []
    met: int = 0

    def at(self, share: float) -> float:
        """A percentile."""
        return sorted(self.took_ms)[min(len(self.took_ms) - 1, int(len(self.took_ms) * share))]


class Crowd(msgspec.Struct):
    """What filling the registry tells."""

    logins: list[dict[str, str]]
    names: list[tuple[str, str]]
    region_code: str
    district_id: int
    school_id: int


async def measure(persons: int = PERSONS, asked: int = ASKED, rows: int = ROWS) -> None:
    """Fill, search, page, import; three figures."""
    async with fresh_stack() as stack:
        remember_ports(stack.home)
        began = time.monotonic()
        crowd = msgspec.json.decode(await _crowd(stack, "fill", persons), type=Crowd)
        filled_s = time.monotonic() - began
        print(f"    {persons} persons in {filled_s:.0f} s", flush=True)
        await asyncio.gather(
            stack.start_process("portal", "portal", portal_argv(stack.home), stack.home.ports.portal),
            stack.start_process("work", "portal", command_argv("work")),
        )
        visitors = [await _sign_in(stack.home.ports, login) for login in crowd.logins]
        try:
            draw = random.Random(SEED)
            searches = _searches(draw, crowd, asked)
            pages = _pages(draw, crowd, asked)
            found, looked = await _ask(visitors, searches), await _ask(visitors, pages)
            took_s, told = await _import(visitors[0], await _crowd(stack, "list", rows))
            after = await _ask(visitors, _searches(draw, crowd, asked // 4))
        finally:
            for visitor in visitors:
                await visitor.close()
    size = f"{persons} persons, {len(crowd.logins)} staff (country, region, school, own pupils, both) by turns"
    how = "each answer the whole page over HTTP, one at a time, all on the same cores"
    searching = (
        f"{len(searches)} searches by parts of names in Kazakh, Russian and Latin letters, {found.met} of them met somebody; "
        f"{size}; {how}; after an import of {rows} rows p95 {after.at(0.95):.0f} ms"
    )
    _tell("registry_search_p95_ms", found, searching)
    paging = f"{len(pages)} pages with filters, orders and page numbers, no search, {looked.met} of them not empty"
    _tell("registry_page_p95_ms", looked, f"{paging}; {size}; {how}")
    basis = (
        f"CSV of {rows} rows with IINs into {persons} persons over HTTP: sent, checked, taken in; {told}; "
        f"the two jobs and the page's own waiting included"
    )
    _write("registry_import_100k_s", took_s, "s", basis)


def _searches(draw: random.Random, crowd: Crowd, how_many: int) -> list[str]:
    """Parts of real names: whole ones, beginnings, middles, both names, in three alphabets; some meet nobody."""
    made: list[str] = []
    for number in range(how_many):
        last, first = draw.choice(crowd.names)
        words = [
            last,
            f"{last} {first}",
            f"{last[: draw.randint(3, 5)]} {first[: draw.randint(2, 4)]}",
            first[: draw.randint(3, len(first))] if len(first) > 3 else first,
            f"{first} {last[:2]}",
            last[draw.randint(0, 2) :][:5],
            f"{last}{first}",
        ][number % 7]
        words = (words, words.translate(RUSSIAN), "".join(LATIN.get(letter, letter) for letter in words.lower()))[
            number % 3
        ]
        made.append(f"q={words}" + draw.choice(("", "", "", f"&region={crowd.region_code}", "&grade=7", "&sex=f")))
    return made


def _pages(draw: random.Random, crowd: Crowd, how_many: int) -> list[str]:
    """Lists as people leaf through them."""

    def leaf() -> int:
        """Mostly the first pages; one in twenty is beyond the twenty-fourth."""
        return min(80, 1 + int(draw.expovariate(1 / 8)))

    kinds = [
        lambda: f"page={leaf()}",
        lambda: f"region={crowd.region_code}&page={leaf()}",
        lambda: f"region={crowd.region_code}&district={crowd.district_id}&grade={draw.randint(1, 11)}&page={leaf()}",
        lambda: f"region={crowd.region_code}&school={crowd.school_id}&sort=class&page={draw.randint(1, 4)}",
        lambda: f"grade={draw.randint(1, 11)}&sex={draw.choice('fm')}&language=ru&page={leaf()}",
        lambda: f"project={draw.choice(('myn-bala', 'qabilet', 'birge-oqy'))}&sort=-name&page={leaf()}",
        lambda: f"language=en&page={leaf()}",
        lambda: f"status=archived&region={crowd.region_code}&page={leaf()}",
        lambda: f"grade={draw.randint(1, 11)}&page={leaf()}",
        lambda: f"sort=new&sex={draw.choice('fm')}&page={leaf()}",
    ]
    return [kinds[number % len(kinds)]() for number in range(how_many)]


async def _ask(visitors: list[aiohttp.ClientSession], queries: list[str]) -> Asked:
    """Each by another of the visitors, one at a time."""
    asked = Asked()
    slowest = (0.0, "")
    for number, query in enumerate(queries):
        began = time.perf_counter()
        async with visitors[number % len(visitors)].get(f"/persons?{query}") as answer:
            body = await answer.read()
        ms = 1000 * (time.perf_counter() - began)
        if answer.status != 200 or b"<h1>" not in body:
            raise RuntimeError(f"/persons?{query}: {answer.status}")
        asked.took_ms.append(ms)
        asked.met += b'name="ids"' in body
        slowest = max(slowest, (ms, f"{number % len(visitors)} {query}"))
    print(f"    slowest {slowest[0]:.0f} ms: {slowest[1]}", flush=True)
    return asked


async def _import(visitor: aiohttp.ClientSession, body: bytes) -> tuple[float, str]:
    """Seconds from sending the list to the last person in the registry."""
    token = await _token(visitor, "/persons/import")
    began = time.monotonic()
    form = aiohttp.FormData({"csrf": token, "part": "myn-bala:pupil"})
    form.add_field("file", body, filename="list.csv", content_type="text/csv")
    async with visitor.post("/persons/import", data=form, allow_redirects=False) as answer:
        where = answer.headers["location"]
    await _until(visitor, where, f'action="{where}/take"')
    checked_s = time.monotonic() - began
    async with visitor.post(f"{where}/take", data={"csrf": token}, allow_redirects=False) as answer:
        if answer.status != 303:
            raise RuntimeError(f"take: {answer.status}")
    page = await _until(visitor, where, 'href="/persons?sort=new"')
    took_s = time.monotonic() - began
    refused = re.findall(r"<b>([\d\u202f]+)</b>", page)
    return (
        took_s,
        f"check {checked_s:.1f} s, taking in {took_s - checked_s:.1f} s; rows, good, refused, known already: {', '.join(refused[:4])}",
    )


async def _until(visitor: aiohttp.ClientSession, path: str, sign: str) -> str:
    """The page, once a sign is on it."""
    for _ in range(3000):
        async with visitor.get(path) as answer:
            page = await answer.text()
        if sign in page:
            return page
        if 'class="notice clay"' in page:
            raise RuntimeError(f"{path}: {re.sub('<[^>]+>', ' ', page)[-600:]}")
        await asyncio.sleep(0.2)
    raise TimeoutError(path)


async def _sign_in(ports: Ports, login: dict[str, str]) -> aiohttp.ClientSession:
    visitor = aiohttp.ClientSession(
        f"http://127.0.0.1:{ports.portal}",
        cookie_jar=aiohttp.CookieJar(unsafe=True),
        timeout=aiohttp.ClientTimeout(900),
    )
    form = {"csrf": await _token(visitor, "/sign-in"), "login": login["login"], "password": login["password"]}
    async with visitor.post("/sign-in", data=form, allow_redirects=False) as answer:
        if answer.status != 303:
            raise RuntimeError(f"sign-in: {answer.status}")
    return visitor


async def _token(visitor: aiohttp.ClientSession, path: str) -> str:
    async with visitor.get(path) as answer:
        found = TOKEN.search(await answer.text())
    if found is None:
        raise RuntimeError(f"{path}: no form")
    return found[1]


async def _crowd(stack: Stack, what: str, how_many: int) -> bytes:
    """The portal's own maker of crowds, in its process."""
    words = [sys.executable, "-m", "portal.demo.crowd", what, str(how_many)]
    process = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.PIPE, env=_environ(stack), limit=2**20
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(words[1:])}: {process.returncode}")
    return out


def _environ(stack: Stack) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ELUMITI_")}
    return clean | {"ELUMITI_HOME": str(stack.home.folder)}


def _tell(metric: str, asked: Asked, basis: str) -> None:
    tail = f"p50 {asked.at(0.5):.0f}, p99 {asked.at(0.99):.0f}, worst {max(asked.took_ms):.0f} ms"
    _write(metric, asked.at(0.95), "ms", f"{basis}; {tail}")


def _write(metric: str, value: float, unit: str, basis: str) -> None:
    write(Figure(metric=metric, value=round(value, 1), unit=unit, basis=f"{basis}; limit {LIMITS[metric]:g} {unit}"))
    if value > LIMITS[metric]:
        print(f"Over the limit of {LIMITS[metric]:g} {unit}.", flush=True)
