"""A picture of every page, to be looked at: `make screenshots`.

python -m tests.browser.screenshots [--portal URL --engine URL --home DIR] [--languages kk,ru] [--only player|portal]

Without addresses it starts a demo of its own in a folder that goes away; with them it uses one that runs (its sittings
list then shows three more). Phone 360×640, desktop 1440×900, three languages: build/screenshots/PART/LANG/NAME-SIZE.png,
and index.html to leaf through. A page of the portal's route table that is neither pictured nor left out below is an
error. What a machine can see, it tells: what hangs over the edge, and touch targets too small for a thumb.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import html
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec
from litestar.handlers import HTTPRouteHandler
from playwright.sync_api import Error, sync_playwright

from engine.codes import draw_code, hash_code
from infra.local import decode_key, default_home, environment
from portal.demo import tables
from portal.demo.people import draw_people
from portal.demo.seed import read_demo
from portal.features import ROUTES
from tests.browser.player.peer import Peer, Pupil
from tests.browser.player.sitter import FLAGS, Sitter, browser_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

    from portal.demo.seed import Demo

OUT = Path("build/screenshots")
SIZES = {"phone": {"width": 360, "height": 640}, "desktop": {"width": 1440, "height": 900}}
LANGUAGES = ("kk", "ru", "en")
PORTS = ("engine", "portal", "postgres", "valkey", "objects")
FILL_LIMIT_S = 600
# Answers to machines, files, and what only turns a switch.
LEFT_OUT = {"/health", "/ready", "/metrics", "/language/{code:str}", "/jobs/{job_id:int}"}
SITTINGS = {
    "draft": {"kk": "Мың бала: республикалық кезең", "ru": "Мың бала: республиканский этап", "en": "Myń Bala: final"},
    "waits": {"kk": "Мың бала: облыстық кезең", "ru": "Мың бала: областной этап", "en": "Myń Bala: regional round"},
    "runs": {"kk": "Мың бала: аудандық кезең", "ru": "Мың бала: районный этап", "en": "Myń Bala: district round"},
}
BAD_LIST = (
    "school_code;last_name;first_name;middle_name;birth_date;grade;class_letter;language;extra_minutes;external_id\n"
    "YOQ-1;Серікова;Айгүл;;14.03.2015;5;Ә;қаз;;S1\n;Иванов1;Пётр;;2015;15;;фр;;S2\n"
)
SEEN = """() => {
  const width = document.documentElement.clientWidth;
  const name = (one) => (one.textContent.trim() || one.getAttribute('aria-label') || one.name || one.tagName).replace(/\\s+/g, ' ').slice(0, 40);
  const shown = (one) => one.checkVisibility?.() && one.getBoundingClientRect().width > 1;
  const scrolls = (one) => {
    for (let up = one.parentElement; up; up = up.parentElement) if (/auto|scroll|hidden/.test(getComputedStyle(up).overflowX)) return true;
    return false;
  };
  const over = [...document.querySelectorAll('body *')].filter((one) => shown(one) && one.getBoundingClientRect().right > width + 1 && !scrolls(one));
  const small = [...document.querySelectorAll('button, a.button, select, summary, input:not([type=hidden])')]
    .filter((one) => shown(one) && one.getBoundingClientRect().height < 39 && !/checkbox|radio/.test(one.type ?? ''));
  return [...over.slice(0, 2).map((one) => 'over the edge: ' + name(one)), ...(width < 500 ? small.slice(0, 3).map((one) => 'small: ' + name(one)) : [])];
}"""


@dataclass
class Place:
    """A demo that runs, and what in it can be shown."""

    portal: str
    engine: str
    home: Path
    demo: Demo
    waiting: Pupil
    running: list[Pupil]
    numbers: dict[str, int] = field(default_factory=dict)


class Album:
    """Where pictures go, and what was seen on them."""

    def __init__(self, part: str, language: str, size: str) -> None:
        self.part, self.language, self.size = part, language, size
        self.folder = OUT / part / language
        self.folder.mkdir(parents=True, exist_ok=True)
        self.seen: list[str] = []

    def take(self, page: Page, name: str, *, whole: bool = True) -> None:
        """One picture; `whole` with what lies below the screen's edge."""
        for fault in page.evaluate(SEEN):
            self.seen.append(f"{self.part}/{self.language}/{name}-{self.size}: {fault}")
        page.screenshot(path=self.folder / f"{name}-{self.size}.png", full_page=whole, animations="disabled")


# ---- a demo to look at


@contextlib.contextmanager
def own_demo() -> Iterator[tuple[str, str, Path]]:
    """`elumiti up --demo` on free ports; stopped by its own Ctrl-C, and its folder removed."""
    home = Path(tempfile.mkdtemp(prefix="elumiti-screenshots-"))
    home.chmod(0o755)
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    ports = {name: one.getsockname()[1] for name, one in zip(PORTS, sockets, strict=True)}
    for one in sockets:
        one.close()
    words = [word for name, port in ports.items() for word in (f"--{name}-port", str(port))]
    argv = [sys.executable, "-m", "infra", "up", "--demo", *words]
    with (home / "up.log").open("wb") as log:
        process = subprocess.Popen(
            argv, env={**os.environ, "ELUMITI_HOME": str(home)}, stdout=log, stderr=log, start_new_session=True
        )
        try:
            portal = f"http://127.0.0.1:{ports['portal']}"
            say("A demo of its own is being filled (two to four minutes) …")
            until(lambda: process.poll() is not None or answers(f"{portal}/ready"))
            if process.poll() is not None:
                sys.exit(f"elumiti: the demo did not start.\n{(home / 'up.log').read_text()[-800:]}")
            yield portal, f"http://127.0.0.1:{ports['engine']}", home
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
            shutil.rmtree(home, ignore_errors=True)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 (our own address)
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def until(told: Callable[[], Any], limit_s: float = FILL_LIMIT_S) -> Any:
    end = time.monotonic() + limit_s
    while not (value := told()):
        if time.monotonic() > end:
            raise TimeoutError(f"it did not come about in {limit_s:.0f} s")
        time.sleep(0.5)
    return value


async def prepare(portal: str, engine: str, home: Path, pupils: int) -> Place:
    """A draft, a sitting that waits and one that runs, on the demo's own test, with pupils whose codes are known."""
    os.environ["ELUMITI_HOME"] = str(home)
    known = default_home()
    db = await asyncpg.connect(environment(known, "owner")["ELUMITI_OWNER_DATABASE_URL"])
    try:
        demo = None
        for _ in range(FILL_LIMIT_S):
            demo = await read_demo(db)
            if demo and await db.fetchval("select 1 from score_run where sitting_id = $1", demo.played_sitting):
                break
            await asyncio.sleep(1)
        assert demo is not None
        await _score_with_quota(db, demo.played_sitting)
        pepper = decode_key(environment(known, "portal")["ELUMITI_CODE_PEPPER"])
        forms = {row["name"]: row["id"] for row in await db.fetch("select id, name from form order by id")}
        schools = {row["code"]: row["id"] for row in await db.fetch("select id, code from school order by id")}
        people = list(draw_people().pupils)
        now = datetime.now(UTC)
        numbers: dict[str, int] = {"played": demo.played_sitting, "open": demo.open_sitting}
        slips: dict[str, list[Pupil]] = {}
        begins = {"draft": timedelta(days=20), "waits": timedelta(minutes=50), "runs": timedelta(minutes=-1)}
        for name, ahead in begins.items():
            number = await tables.insert_sitting(
                db, forms["main"], forms["reserve"], "open", starts_at=now + ahead, duration_s=3600
            )
            title = msgspec.json.encode(SITTINGS[name]).decode()
            await db.execute("update sitting set title = $2 where id = $1", number, title)
            numbers[name] = number
            if name == "draft":
                continue
            seats = [tables.Seat(one, code := draw_code(), hash_code(code, pepper)) for one in people[:pupils]]
            await tables.insert_participants(db, number, schools, seats)
            await tables.publish(db, number)
            slips[name] = [
                Pupil(0, seat.code, seat.pupil.first_name, seat.pupil.birth_date.day, seat.pupil.birth_date.month)
                for seat in seats
            ]
        numbers["pupil"] = await db.fetchval(
            "select id from participant where sitting_id = $1 order by id limit 1", demo.played_sitting
        )
        numbers["form"] = forms["main"]
        numbers["staff"] = await db.fetchval("select id from staff where login = 'analyst2'")
    finally:
        await db.close()
    # The workers read new sittings every two seconds.
    await asyncio.sleep(6)
    return Place(portal, engine, home, demo, slips["waits"][0], slips["runs"], numbers)


async def _score_with_quota(db: asyncpg.Connection[asyncpg.Record], sitting: int) -> None:
    """A second run with a quota list, before other sittings use the form: then nothing of it may be scored (J6)."""
    await db.execute(
        """
        insert into quota_plan (sitting_id, places, tie_at_line, from_home, reason, asked_by, agreed_by)
        select $1, (select jsonb_object_agg(region_code, 2) from sitting_region where sitting_id = $1), 'all', true,
               '№ 118 бұйрық', a.id, b.id
        from staff a, staff b
        where a.login = 'analyst' and b.login = 'analyst2'
        on conflict do nothing
        """,
        sitting,
    )
    if await db.fetchval("select max(version) from score_run where sitting_id = $1", sitting) == 1:
        await db.execute(
            "insert into job (kind, sitting_id, payload) values ('score', $1, '{\"parameters\": {}}')", sitting
        )
    for _ in range(180):
        if await db.fetchval("select 1 from score_run where sitting_id = $1 and version = 2", sitting):
            return
        await asyncio.sleep(1)
    sys.exit("elumiti: the second run of scoring did not come.")


# ---- the player


def player(playwright: Playwright, place: Place, languages: list[str]) -> list[str]:
    """All that a pupil may see, on both sizes, in each language."""
    seen: list[str] = []
    pupils = iter(place.running)
    for language in languages:
        for size in SIZES:
            album = Album("player", language, size)
            say(f"player, {language}, {size} …")
            with tempfile.TemporaryDirectory() as profile:
                _before(Sitter(playwright, place.engine, Path(profile), **screen(size)), place.waiting, album)
            with tempfile.TemporaryDirectory() as profile:
                _test(Sitter(playwright, place.engine, Path(profile), **screen(size)), next(pupils), album)
            with tempfile.TemporaryDirectory() as profile, Peer(next_save_s=1) as peer:
                _orders(Sitter(playwright, peer.url, Path(profile), **screen(size)), peer, album)
            seen += album.seen
    return seen


def screen(size: str) -> dict[str, Any]:
    return {"viewport": SIZES[size], "has_touch": size == "phone"}


def _before(sitter: Sitter, pupil: Pupil, album: Album) -> None:
    """Language, sign-in and its troubles, check, waiting room, trial."""
    page = sitter.page
    page.get_by_role("button", name="Қазақша").wait_for()
    album.take(page, "01-language")
    sitter.choose_language(album.language)
    album.take(page, "02-sign-in")
    page.locator("#code").press_sequentially("k7qm2xw9pn40")
    page.locator("button[type=submit]").click()
    page.locator("#trouble").wait_for()
    album.take(page, "03-wrong-code")
    sitter.sign_in(pupil)
    page.locator(".findings li").first.wait_for()
    page.wait_for_timeout(400)
    album.take(page, "05-check")
    page.locator(".big").click()
    page.locator(".good").wait_for()
    album.take(page, "06-waiting")
    page.locator(".link").last.click()
    page.locator("dialog").wait_for()
    album.take(page, "07-leave", whole=False)
    page.locator("dialog .secondary").click()
    page.locator(".secondary.big").click()
    for number in (1, 2, 3):
        page.locator("#question").wait_for()
        sitter.answer()
        album.take(page, f"08-trial-{number}")
        if number < 3:
            page.locator(".bottom .primary").click()
    sitter.close()


def _test(sitter: Sitter, pupil: Pupil, album: Album) -> None:
    """The whole test on the real engine, with the line cut twice, to the receipt."""
    page = sitter.page
    sitter.choose_language(album.language)
    sitter.type_slip(Pupil(0, pupil.code, "", pupil.day % 28 + 1, pupil.month))
    page.locator("button[type=submit]").click()
    page.locator("#trouble").wait_for()
    album.take(page, "04-birth-mismatch")
    sitter.sign_in(pupil)
    page.locator(".findings").wait_for()
    page.locator(".big").click()
    page.locator("#start").wait_for()
    album.take(page, "09-start")
    page.locator("#start").click()
    page.locator("#question").wait_for()
    count = sitter.count()
    for number in range(1, count + 1):
        page.locator("article.question").wait_for()
        page.wait_for_function("[...document.querySelectorAll('article img')].every((one) => one.complete)")
        if number not in {6, count - 1}:
            sitter.answer()
        album.take(page, f"10-question-{number:02}")
        if number == 4:
            _over_the_test(sitter, album)
        if number == 9:
            sitter.context.set_offline(offline=True)
            page.locator(".banner p").wait_for(timeout=60_000)
            album.take(page, "15-no-network", whole=False)
            sitter.context.set_offline(offline=False)
        page.locator("#next").click()
        page.wait_for_timeout(120)
    page.locator("#finish").wait_for()
    album.take(page, "20-review")
    sitter.context.set_offline(offline=True)
    page.locator("#finish").click()
    page.locator("#finish-yes").wait_for()
    album.take(page, "21-finish-asked", whole=False)
    page.locator("#finish-yes").click()
    page.locator("#rescue").wait_for(timeout=60_000)
    page.wait_for_timeout(500)
    album.take(page, "22-handed-in-no-network")
    sitter.context.set_offline(offline=False)
    page.locator(".receipt").wait_for(timeout=60_000)
    page.wait_for_timeout(500)
    album.take(page, "23-receipt")
    sitter.reload()
    page.locator("#code").wait_for()
    with contextlib.suppress(Error):
        page.locator("summary").first.click(timeout=1000)
    album.take(page, "24-the-next-child")
    sitter.close()


def _over_the_test(sitter: Sitter, album: Album) -> None:
    """What opens over a question."""
    page = sitter.page
    page.locator(".bottom .secondary").nth(1).click()
    openers = {"11-grid": ".counter", "12-saved": ".saved", "13-menu": ".bar .bare >> nth=-1", "14-report": ".report"}
    for name, target in openers.items():
        page.locator(target).click()
        page.locator("dialog").wait_for()
        album.take(page, name, whole=False)
        page.keyboard.press("Escape")
        page.locator("dialog").wait_for(state="detached")


def _orders(sitter: Sitter, peer: Peer, album: Album) -> None:
    """What staff orders and what another device does, beside the tests' peer: it obeys at once."""
    page, pupil, language = sitter.page, peer.pupils[0], album.language
    words = {
        "kk": ("Тыныштық сақтайық.", "Кестеде сейсенбі күні 22 болуы керек."),
        "ru": ("Соблюдайте, пожалуйста, тишину.", "В таблице во вторник должно быть 22."),
        "en": ("Please keep quiet.", "In the table, Tuesday should read 22."),
    }
    sitter.to_first_question(pupil, language)
    peer.order(pupil, "message", text={name: text[0] for name, text in words.items()})
    page.locator("dialog").wait_for()
    album.take(page, "30-message", whole=False)
    page.locator("dialog .primary").click()
    peer.order(pupil, "erratum", item=101, text={name: text[1] for name, text in words.items()})
    page.locator("dialog .primary").click()
    page.locator(".counter").click()
    page.locator("dialog .grid .is-corrected").click()
    page.locator(".erratum").wait_for()
    album.take(page, "31-erratum")
    with contextlib.suppress(Error):
        page.locator(".zoomable").first.click(timeout=800)
        album.take(page, "32-zoom", whole=False)
        page.keyboard.press("Escape")
    peer.order(pupil, "pause", since_ms=peer.now_ms())
    page.locator(".pause").wait_for()
    album.take(page, "33-pause", whole=False)
    pupil.extra_s = 600
    peer.order(pupil, "resume", paused_s=600)
    page.locator("dialog .primary").wait_for()
    album.take(page, "34-goes-on", whole=False)
    page.locator("dialog .primary").click()
    other = sitter.watch(sitter.context.new_page())
    other.goto(peer.url)
    other.locator("h1").wait_for()
    other.wait_for_timeout(500)
    album.take(other, "35-second-tab")
    other.close()
    page.bring_to_front()
    pupil.devices.append("f" * 32)
    page.locator("#go-on-here").wait_for()
    album.take(page, "36-elsewhere", whole=False)
    pupil.devices.pop()
    sitter.close()


# ---- the portal


def pages_of(place: Place, job: int) -> dict[str, tuple[str, dict[str, object]]]:
    """Name → route and what fills it. Several states of one route have several names."""
    played, runs, number = place.numbers["played"], place.numbers["runs"], place.numbers
    one_run = {"sitting_id": played, "version": 1}
    control = "/sittings/{sitting_id:int}/controls/new"
    pages: dict[str, tuple[str, dict[str, object]]] = {
        "overview": ("/", {}),
        "search": ("/search", {"?": "q=айг"}),
        "search-nothing": ("/search", {"?": "q=ххххх"}),
        "account": ("/account", {}),
        "sittings": ("/sittings", {}),
        "sitting-new": ("/sittings/new", {}),
        "sitting-edit": ("/sittings/{sitting_id:int}/edit", {"sitting_id": number["draft"]}),
        "clock": ("/sittings/{sitting_id:int}/clock", {"sitting_id": number["waits"]}),
        "history": ("/sittings/{sitting_id:int}/history", {"sitting_id": number["open"]}),
        "participants": ("/sittings/{sitting_id:int}/participants", {"sitting_id": played}),
        "participants-none": ("/sittings/{sitting_id:int}/participants", {"sitting_id": number["draft"]}),
        "participant": (
            "/sittings/{sitting_id:int}/participants/{participant_id:int}",
            {"sitting_id": played, "participant_id": number["pupil"]},
        ),
        "import": ("/sittings/{sitting_id:int}/import", {"sitting_id": number["draft"]}),
        "import-errors": (
            "/sittings/{sitting_id:int}/import/{job_id:int}",
            {"sitting_id": number["draft"], "job_id": job},
        ),
        "slips": ("/sittings/{sitting_id:int}/slips", {"sitting_id": number["waits"]}),
        "live": ("/live", {}),
        "acts": ("/acts", {}),
        "scores": ("/scores", {}),
        "scores-none": ("/sittings/{sitting_id:int}/scores", {"sitting_id": runs}),
        "scores-newest": ("/sittings/{sitting_id:int}/scores", {"sitting_id": played}),
        "scores-run": ("/sittings/{sitting_id:int}/scores/{version:int}", one_run),
        "scores-items": ("/sittings/{sitting_id:int}/scores/{version:int}/items", one_run),
        "scores-ranking": ("/sittings/{sitting_id:int}/scores/{version:int}/ranking", one_run),
        "scores-sheet": (
            "/sittings/{sitting_id:int}/scores/{version:int}/pupils/{attempt_id:int}",
            {**one_run, "attempt_id": number["pupil"]},
        ),
        "scores-differences": (
            "/sittings/{sitting_id:int}/scores/{version:int}/differences/{other:int}",
            {"sitting_id": played, "version": 2, "other": 1},
        ),
        "scores-decisions": ("/sittings/{sitting_id:int}/scores/decisions", {"sitting_id": played}),
        "scores-quota-places": ("/sittings/{sitting_id:int}/scores/quota", {"sitting_id": played}),
        "scores-quota-list": (
            "/sittings/{sitting_id:int}/scores/{version:int}/quota",
            {"sitting_id": played, "version": 2},
        ),
        "scores-waiting": ("/sittings/{sitting_id:int}/scores/waiting", {"sitting_id": played, "?": "show=all"}),
        "scores-question": (
            "/sittings/{sitting_id:int}/scores/questions/{form_id:int}/{code:str}",
            {"sitting_id": played, "form_id": number["form"], "code": "M01"},
        ),
        "waiver": ("/waiver", {}),
        "receipts": ("/receipts", {}),
        "receipts-unknown": ("/receipts", {"?": "code=K7QM-2XW9"}),
        "rescue": ("/sittings/{sitting_id:int}/rescue", {"sitting_id": played}),
        "audit": ("/audit", {}),
        "staff": ("/staff", {}),
        "staff-new": ("/staff/new", {}),
        "staff-one": ("/staff/{staff_id:int}", {"staff_id": number["staff"]}),
        "roles": ("/roles", {}),
        "help": ("/help", {}),
        "demo": ("/demo", {}),
        "style": ("/style", {}),
        "not-there": ("/there-is-no-such-page", {}),
    }
    for name in ("draft", "waits", "open", "played"):
        pages[f"sitting-{name}"] = ("/sittings/{sitting_id:int}", {"sitting_id": number[name]})
    for name in ("waits", "open", "played"):
        pages[f"live-{name}"] = ("/sittings/{sitting_id:int}/live", {"sitting_id": number[name]})
    for kind in ("message", "erratum", "extra", "pause", "end", "reopen"):
        pages[f"control-{kind}"] = (control, {"sitting_id": number["open"], "?": f"kind={kind}"})
    return pages


def require_all_routes(pages: dict[str, tuple[str, dict[str, object]]]) -> None:
    """No page without a picture: those of the route table that answer a GET with a page."""
    known = {route for route, _ in pages.values()} | LEFT_OUT | {"/sign-in"}
    handlers = [one for one in ROUTES if isinstance(one, HTTPRouteHandler) and "GET" in one.http_methods]
    texts = [one for one in handlers if one.fn.__annotations__.get("return") == "Response[str]"]
    if forgotten := sorted({path for one in texts for path in one.paths} - known):
        sys.exit(f"elumiti: no picture of {', '.join(forgotten)}; add it to pages_of in tests/browser/screenshots.py.")


def address(route: str, filled: dict[str, object]) -> str:
    """The route with its numbers in it."""
    asked = f"?{filled['?']}" if "?" in filled else ""
    return re.sub(r"\{(\w+):\w+\}", lambda name: str(filled[name[1]]), route) + asked


def portal(playwright: Playwright, place: Place, languages: list[str]) -> list[str]:
    """Every page as the first role sees it that may; the overview as each role does."""
    seen: list[str] = []
    with contextlib.closing(playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)) as browser:
        states = {login: _signed_in(browser, place, login) for login in ("admin", "analyst", "super", "proctor")}
        job = _happenings(browser, place, states)
        pages = pages_of(place, job)
        require_all_routes(pages)
        whose = _whose(browser, place, states, pages)
        for language in languages:
            for state in states.values():
                with contextlib.closing(browser.new_context(storage_state=state)) as context:
                    context.new_page().goto(f"{place.portal}/language/{language}")
            for size in SIZES:
                say(f"portal, {language}, {size} …")
                album = Album("portal", language, size)
                _leaf(browser, place, states, pages, whose, album)
                seen += album.seen
        for state in states.values():
            with contextlib.closing(browser.new_context(storage_state=state)) as context:
                context.new_page().goto(f"{place.portal}/language/kk")
    return seen


def _signed_in(browser: Browser, place: Place, login: str) -> Any:
    password = next(one.password for one in place.demo.logins if one.login == login)
    with contextlib.closing(browser.new_context(locale="kk-KZ")) as context:
        page = context.new_page()
        page.goto(f"{place.portal}/sign-in")
        page.fill("#f-login", login)
        page.fill("#f-password", password)
        page.click("form.stack button.primary")
        page.wait_for_url(f"{place.portal}/")
        return context.storage_state()


def _happenings(browser: Browser, place: Place, states: dict[str, Any]) -> int:
    """A list with errors, a message that waits for a second person, a second run; gives the import's number."""
    number = place.numbers
    with contextlib.closing(browser.new_context(storage_state=states["admin"])) as context:
        page = context.new_page()
        page.goto(f"{place.portal}/sittings/{number['draft']}/import")
        page.set_input_files("#f-file", {"name": "тізім.csv", "mimeType": "text/csv", "buffer": BAD_LIST.encode()})
        page.click("form.stack button.primary")
        page.wait_for_selector(".notice.leaf, .notice.clay", timeout=60_000)
        job = int(page.url.split("?")[0].rsplit("/", 1)[1])
        page.goto(f"{place.portal}/sittings/{number['runs']}/controls/new?kind=message")
        page.fill("#f-text_kk", "Асықпаңдар, уақыт жетеді.")
        page.fill("#f-reason", "Желі баяу")
        page.click("section form button.primary")
        page.wait_for_selector(".compare")
    return job


def _whose(
    browser: Browser, place: Place, states: dict[str, Any], pages: dict[str, tuple[str, dict[str, object]]]
) -> dict[str, str]:
    """Page → the first login that may see it."""
    whose: dict[str, str] = {}
    for login, state in states.items():
        with contextlib.closing(browser.new_context(storage_state=state)) as context:
            for name in set(pages) - set(whose) - {"not-there"}:
                if context.request.get(place.portal + address(*pages[name])).status == 200:
                    whose[name] = login
    if unseen := sorted(set(pages) - set(whose) - {"not-there"}):
        say(f"Nobody may see, or they do not answer: {', '.join(unseen)}")
    return whose


def _leaf(
    browser: Browser,
    place: Place,
    states: dict[str, Any],
    pages: dict[str, tuple[str, dict[str, object]]],
    whose: dict[str, str],
    album: Album,
) -> None:
    """One language and size: everybody's pages, then what a stranger sees."""
    for login, state in states.items():
        with contextlib.closing(_context(browser, album, state)) as context:
            page = context.new_page()
            page.goto(f"{place.portal}/")
            album.take(page, f"overview-{login}")
            if album.size == "phone":
                page.click("[data-menu]")
                page.wait_for_timeout(250)
                album.take(page, f"menu-{login}", whole=False)
            for name in (one for one in pages if whose.get(one, "admin") == login):
                page.goto(place.portal + address(*pages[name]))
                page.evaluate("document.fonts.ready")
                album.take(page, name)
    with contextlib.closing(_context(browser, album, None)) as context:
        page = context.new_page()
        page.goto(f"{place.portal}/language/{album.language}")
        page.goto(f"{place.portal}/sign-in")
        album.take(page, "sign-in")
        page.fill("#f-login", f"nobody-{time.time_ns()}")
        page.fill("#f-password", "wrong words")
        page.click("form.stack button.primary")
        page.wait_for_load_state()
        album.take(page, "sign-in-wrong")
        page.goto(f"{place.portal}/demo")
        album.take(page, "demo-stranger")


def _context(browser: Browser, album: Album, state: Any) -> BrowserContext:
    context = browser.new_context(viewport=SIZES[album.size], storage_state=state, has_touch=album.size == "phone")  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    return context


# ---- to leaf through


def write_index() -> None:
    """One page with all pictures, by part, name and size, the languages side by side."""
    rows: list[str] = []
    for part in ("player", "portal"):
        names = sorted({path.name for path in (OUT / part).glob("*/*.png")})
        rows.append(f"<h1>{part}</h1>")
        for name in names:
            pictures = "".join(
                f'<a href="{path}"><img loading="lazy" src="{path}" alt="{language}"></a>'
                for language in LANGUAGES
                if (OUT / (path := f"{part}/{language}/{name}")).exists()
            )
            rows.append(f"<h2>{html.escape(name.removesuffix('.png'))}</h2><div>{pictures}</div>")
    style = "body{font:16px sans-serif;margin:2rem}div{display:flex;gap:1rem;align-items:start}img{max-width:30vw;border:1px solid #ccc}"
    text = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>El Úmiti: every page</title><style>{style}</style>{"".join(rows)}</html>'
    (OUT / "index.html").write_text(text)


def say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    asked = argparse.ArgumentParser(description="A picture of every page.")
    asked.add_argument("--portal")
    asked.add_argument("--engine")
    asked.add_argument("--home", type=Path)
    asked.add_argument("--languages", default=",".join(LANGUAGES))
    asked.add_argument("--only", choices=("player", "portal"))
    given = asked.parse_args()
    languages = given.languages.split(",")
    known = (given.portal, given.engine, given.home)
    if any(known) and not all(known):
        asked.error("--portal, --engine and --home go together")
    with contextlib.ExitStack() as held:
        running = known if all(known) else held.enter_context(own_demo())
        place = asyncio.run(prepare(*running, len(languages) * len(SIZES)))
        playwright = held.enter_context(sync_playwright())
        seen: list[str] = []
        for part in (player, portal):
            if given.only in {None, part.__name__}:
                seen += part(playwright, place, languages)
    write_index()
    (OUT / "seen.txt").write_text("".join(f"{line}\n" for line in seen))
    say(f"{len(list(OUT.rglob('*.png')))} pictures: {OUT}/index.html. What a machine saw ({len(seen)}): {OUT}/seen.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
