"""All that staff may see. A page of the route table that is neither pictured nor left out here is an error."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from typing import TYPE_CHECKING, Any

from litestar.handlers import HTTPRouteHandler

from portal.features.routes import ROUTES
from tests.browser.player.sitter import FLAGS, browser_path
from tests.browser.screenshots.album import SIZES, Album, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

    from tests.browser.screenshots.demo import Place

# Answers to machines, files, and what only turns a switch.
LEFT_OUT = {
    "/health",
    "/ready",
    "/metrics",
    "/language/{code:str}",
    "/look/{code:str}",
    "/jobs/{job_id:int}",
    "/notices/bell",
}
# A list on its way to be a file looks like the registry's own.
LEFT_OUT |= {"/exports/{job_id:int}"}
# They are there only with a link that is good once: tests/portal/post, tests/portal/account/test_contacts.py.
LEFT_OUT |= {"/forgotten/new", "/account/email"}
# A part of a child's page, and a live view, which needs a child's camera: tests/browser/player/test_live_view.py.
LEFT_OUT |= {"/watch/{attempt:int}/deeds"}
LEFT_OUT |= {"/watch/{attempt:int}/live", "/watch/{attempt:int}/live/{view_id:int}"}
# A case's paper is there once it was made: tests/browser/portal/test_after_watching.py.
LEFT_OUT |= {"/cases/{attempt:int}/paper/{job_id:int}"}
# Steps of registering and of a parent's consent: tests/browser/portal/test_registration.py makes pictures of them.
LEFT_OUT |= {
    "/register/new",
    "/register/code",
    "/consent",
    "/consent/sign",
    "/consent/done",
    "/consent/withdraw",
    "/own",
}
# Steps of a way between sites: tests/browser/portal/test_sign_on.py makes pictures of them.
LEFT_OUT |= {"/sign-in/with/{code:str}", "/sign-in/answer/{code:str}", "/sign-in/link", "/account/linked/{code:str}"}
LEFT_OUT |= {"/oauth/authorize"}
LOGINS = ("admin", "analyst", "super", "proctor", "room", "specialist", "quality", "safety", "pupil")
# Others may open these too, and find less there.
WHOSE = {"wall": "proctor", "child": "proctor", "me-watched": "pupil"}
BAD_LIST = (
    "school_code;last_name;first_name;middle_name;birth_date;grade;class_letter;language;extra_minutes;external_id\n"
    "YOQ-1;Серікова;Айгүл;;14.03.2015;5;Ә;қаз;;S1\n;Иванов1;Пётр;;2015;15;;фр;;S2\n"
)

BAD_PERSONS = (
    "last_name;first_name;birth_date;sex;language;school_code;grade;iin\n"
    "Серікова;Айгүл;14.03.2015;қ;қаз;61-01-1;5;\nИванов;Пётр;2015;м;рус;61-01-1;5;\n"
    "Әлиев;Дәурен;14.03.2015;е;қаз;YOQ;5;150314500001\n"
)


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
        "notices": ("/notices", {}),
        "my-history": ("/history", {}),
        "forgotten": ("/forgotten", {}),
        "outbox": ("/outbox", {}),
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
        "room-codes": ("/sittings/{sitting_id:int}/room-codes", {"sitting_id": number["open"]}),
        "room-codes-waits": ("/sittings/{sitting_id:int}/room-codes", {"sitting_id": number["waits"]}),
        "persons": ("/persons", {}),
        "persons-search": ("/persons", {"?": "q=айг&cols=born&cols=class&cols=region&cols=language"}),
        "persons-nothing": ("/persons", {"?": "q=взмлбв"}),
        "person": ("/persons/{person_id:int}", {"person_id": number["person"]}),
        "person-history": ("/persons/{person_id:int}/history", {"person_id": number["person"]}),
        "person-edit": ("/persons/{person_id:int}/edit", {"person_id": number["person"]}),
        "person-new": ("/persons/new", {}),
        "person-iin": ("/persons/iin", {}),
        "person-places": ("/persons/places", {"?": "region=KZ-61"}),
        "person-twins": ("/persons/twins", {}),
        "person-compare": (
            "/persons/twins/{first_id:int}/{second_id:int}",
            {"first_id": number["twin"], "second_id": number["other_twin"]},
        ),
        "person-readings": ("/persons/readings", {}),
        "person-fields": ("/persons/fields", {}),
        "person-field": ("/persons/fields/{field_id:int}", {"field_id": number["field"]}),
        "person-field-new": ("/persons/fields/new", {}),
        "person-import": ("/persons/import", {}),
        "person-import-errors": ("/persons/import/{job_id:int}", {"job_id": number["persons_check"]}),
        "person-export": ("/persons/export", {"?": "region=KZ-62&grade=5"}),
        "person-exported": ("/persons/export/{job_id:int}", {"job_id": number["persons_export"]}),
        "person-consents": ("/persons/{person_id:int}/consents", {"person_id": number["person"]}),
        "talents": ("/talents", {}),
        "talent": ("/talents/{person_id:int}", {"person_id": number["talent"]}),
        "talents-ask": ("/talents/ask", {}),
        "talents-access": ("/talents/access", {}),
        "talents-rules": ("/talents/rules", {}),
        "talents-rule-new": ("/talents/rules/new", {}),
        "talents-export": ("/talents/export", {}),
        "talents-unmatched": ("/talents/unmatched", {}),
        "talents-unmatched-one": (
            "/talents/unmatched/{participant_id:int}",
            {"participant_id": number["pupil"]},
        ),
        "wall": ("/sittings/{sitting_id:int}/wall", {"sitting_id": number["open"]}),
        "child": ("/watch/{attempt:int}", {"attempt": number["case"]}),
        "verdicts-settled": (
            "/sittings/{sitting_id:int}/verdicts",
            {"sitting_id": number["open"], "?": "state=settled"},
        ),
        "opinion": ("/review/{attempt:int}", {"attempt": number["case"]}),
        "case": ("/cases/{attempt:int}", {"attempt": number["case"]}),
        "appeal": ("/appeals/{appeal_id:int}", {"appeal_id": number["appeal"]}),
        "appeal-answer": ("/appeals/{appeal_id:int}/answer", {"appeal_id": number["answered"]}),
        "sealed-picture": ("/safety/{seal_id:int}", {"seal_id": number["seal"]}),
        "me-watched": ("/me/watched", {}),
        "verdicts": ("/sittings/{sitting_id:int}/verdicts", {"sitting_id": number["open"]}),
        "words-to-children": ("/sittings/{sitting_id:int}/verdicts/words", {"sitting_id": number["open"]}),
        "weights": ("/sittings/{sitting_id:int}/weights", {"sitting_id": number["open"]}),
        "fairness": ("/sittings/{sitting_id:int}/fairness", {"sitting_id": number["open"]}),
        "terms-of-pictures": ("/sittings/{sitting_id:int}/pictures", {"sitting_id": number["open"]}),
        "appeals": ("/sittings/{sitting_id:int}/appeals", {"sitting_id": number["open"]}),
        "sealed-pictures": ("/safety", {}),
        "live": ("/live", {}),
        "credits": ("/sittings/{sitting_id:int}/credits", {"sitting_id": number["open"]}),
        "incidents": ("/incidents", {}),
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
        "staff-history": ("/staff/{staff_id:int}/history", {"staff_id": number["staff"]}),
        "staff-one": ("/staff/{staff_id:int}", {"staff_id": number["staff"]}),
        "roles": ("/roles", {}),
        "roles-project": ("/roles", {"?": "of=myn-bala"}),
        "roles-house": ("/roles", {"?": "of=house"}),
        "roles-ending": ("/grants", {"?": "which=all"}),
        "role-new": ("/roles/new", {}),
        "see-as": ("/see-as", {}),
        "why": ("/why", {"?": "login=proctor&permission=live.view"}),
        "why-no": ("/why", {"?": "login=proctor&permission=score.view"}),
        "modules": ("/modules", {}),
        "places": ("/places", {}),
        "places-region": ("/places/{region:str}", {"region": "KZ-61"}),
        "schools": ("/schools", {}),
        "school": ("/schools/{school_id:int}", {"school_id": number["school"]}),
        "school-edit": ("/schools/{school_id:int}/edit", {"school_id": number["school"]}),
        "school-new": ("/schools/new", {}),
        "schools-import": ("/schools/import", {}),
        "machines": ("/machines", {}),
        "machine": ("/machines/{client_id:int}", {"client_id": number["machine"]}),
        "machine-new": ("/machines/new", {}),
        "hook": ("/hooks/{hook_id:int}", {"hook_id": number["hook"]}),
        "hook-new": ("/hooks/new", {}),
        "providers": ("/sign-on/providers", {}),
        "provider-new": ("/sign-on/providers/new", {"?": "like=google"}),
        "provider": ("/sign-on/providers/{provider_id:int}", {"provider_id": number["provider"]}),
        "systems": ("/sign-on/systems", {}),
        "system-new": ("/sign-on/systems/new", {}),
        "system": ("/sign-on/systems/{system_id:int}", {"system_id": number["system"]}),
        "sign-in-again": ("/oauth/again", {}),
        "sign-out-everywhere": ("/oauth/logout", {}),
        "raise": ("/raise", {}),
        "second-factor": ("/second-factor", {}),
        "help": ("/help", {}),
        "demo": ("/demo", {}),
        "style": ("/style", {}),
        "not-there": ("/there-is-no-such-page", {}),
    }
    pages |= {
        "consent-texts": ("/consent-texts", {}),
        "consent-text-new": ("/consent-texts/new", {}),
        "consent-stop": ("/consent/stop", {}),
        "erasures": ("/erasures", {}),
        "own": ("/me/consents", {}),
        "register": ("/register", {}),
        "register-email": ("/register/email", {}),
        "register-phone": ("/register/phone", {}),
        "register-class": ("/register/class", {}),
        "registrations": ("/registrations", {}),
        "registrations-one": ("/registrations/{registration_id:int}", {"registration_id": number["registration"]}),
        "class-codes": ("/registrations/codes", {}),
        "class-code": ("/registrations/codes/{code_id:int}", {"code_id": number["class_code"]}),
    }
    teacher = {"person_id": number["teacher"]}
    for tab in ("photo", "portfolio", "attached", "results", "kpi", "reviews", "work"):
        pages[f"person-{tab}"] = (f"/persons/{{person_id:int}}/{tab}", teacher)
        pages[f"me-{tab}"] = (f"/me/{tab}", {})
    pages |= {
        "me": ("/me", {}),
        "person-attach": ("/persons/{person_id:int}/attached/new", {**teacher, "?": "q=айг"}),
        "person-document": (
            "/persons/{person_id:int}/portfolio/{document_id:int}",
            {**teacher, "document_id": number["document"]},
        ),
        "me-document": ("/me/portfolio/{document_id:int}", {"document_id": number["document"]}),
        "kpi-import": ("/kpi/import", {}),
        "reviews": ("/reviews", {}),
    }
    for name in ("draft", "waits", "open", "played"):
        pages[f"sitting-{name}"] = ("/sittings/{sitting_id:int}", {"sitting_id": number[name]})
    for name in ("waits", "open", "played"):
        pages[f"live-{name}"] = ("/sittings/{sitting_id:int}/live", {"sitting_id": number[name]})
    for kind in ("message", "erratum", "extra", "pause", "stop", "restart", "end", "reopen"):
        pages[f"control-{kind}"] = (control, {"sitting_id": number["open"], "?": f"kind={kind}"})
    return pages


def require_all_routes(pages: dict[str, tuple[str, dict[str, object]]]) -> None:
    """No page without a picture: those of the route table that answer a GET with a page."""
    known = {route for route, _ in pages.values()} | LEFT_OUT | {"/sign-in"}
    handlers = [one for one in ROUTES if isinstance(one, HTTPRouteHandler) and "GET" in one.http_methods]
    texts = [one for one in handlers if one.fn.__annotations__.get("return") == "Response[str]"]
    if forgotten := sorted({path for one in texts for path in one.paths} - known):
        sys.exit(
            f"elumiti: no picture of {', '.join(forgotten)}; add it to pages_of in tests/browser/screenshots/portal.py."
        )


def address(route: str, filled: dict[str, object]) -> str:
    """The route with its numbers in it."""
    asked = f"?{filled['?']}" if "?" in filled else ""
    return re.sub(r"\{(\w+):\w+\}", lambda name: str(filled[name[1]]), route) + asked


def portal(playwright: Playwright, place: Place, languages: list[str]) -> list[str]:
    """Every page as the first role sees it that may; the overview as each role does."""
    seen: list[str] = []
    with contextlib.closing(playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)) as browser:
        states = {login: _signed_in(browser, place, login) for login in LOGINS}
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
        page.wait_for_url(re.compile(f"^{re.escape(place.portal)}/(?!sign-in)"))
        if login == "super":
            page.goto(f"{place.portal}/raise")
            page.fill("#f-reason", "Суретке түсіру")
            page.select_option("#f-minutes", "60")
            with page.expect_navigation():
                page.click("form.form button.primary")
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
        number["persons_check"], number["persons_export"] = _lists(page, place)
    return job


def _lists(page: Page, place: Place) -> tuple[int, int]:
    """A list of persons with rows to correct, and one as a file; the numbers of both jobs."""
    page.goto(f"{place.portal}/persons/import")
    page.set_input_files("#f-file", {"name": "тұлғалар.csv", "mimeType": "text/csv", "buffer": BAD_PERSONS.encode()})
    page.click("form.stack button.primary")
    page.wait_for_selector(".figures", timeout=60_000)
    check = int(page.url.split("?")[0].rsplit("/", 1)[1])
    page.goto(f"{place.portal}/persons/export?region=KZ-62&grade=5")
    page.fill("#f-purpose", "Аудан әкімдігіне есеп")
    page.click("form.form button.primary")
    page.wait_for_selector(".notice.leaf", timeout=60_000)
    return check, int(page.url.split("?")[0].rsplit("/", 1)[1])


def _whose(
    browser: Browser, place: Place, states: dict[str, Any], pages: dict[str, tuple[str, dict[str, object]]]
) -> dict[str, str]:
    """Page → the first login that may see it."""
    whose: dict[str, str] = dict(WHOSE)
    for login, state in states.items():
        with contextlib.closing(browser.new_context(storage_state=state)) as context:
            for name in set(pages) - set(whose) - set(OPENED) - {"not-there"}:
                if context.request.get(place.portal + address(*pages[name])).status == 200:
                    whose[name] = login
    if unseen := sorted(set(pages) - set(whose) - set(OPENED) - {"not-there"}):
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
                if name in OPENED:
                    OPENED[name](page, place)
                else:
                    page.goto(place.portal + address(*pages[name]))
                page.evaluate("document.fonts.ready")
                if page.locator("img[loading='lazy']").count():
                    page.evaluate("[...document.images].forEach((one) => { one.loading = 'eager'; })")
                    page.wait_for_load_state("networkidle")
                album.take(page, name)
    _through_other_eyes(browser, place, states["super"], album)
    with contextlib.closing(_context(browser, album, None)) as context:
        page = context.new_page()
        page.goto(f"{place.portal}/language/{album.language}")
        page.goto(f"{place.portal}/sign-in")
        album.take(page, "sign-in")
        page.fill("#f-login", f"nobody-{time.time_ns()}")
        page.fill("#f-password", "wrong words")
        with page.expect_navigation():
            page.click("form.stack button.primary")
        album.take(page, "sign-in-wrong")
        page.goto(f"{place.portal}/demo")
        album.take(page, "demo-stranger")


def _open_wall(page: Page, place: Place) -> None:
    """With children in one's hands; they were free again after two minutes."""
    page.goto(f"{place.portal}/sittings/{place.numbers['open']}/wall")
    if not page.locator("li.tile").count():
        page.fill("#f-how_many", "30")
        page.click("form[action$='/take'] button")
        page.wait_for_selector("li.tile")
    page.wait_for_load_state("networkidle")


def _open_child(page: Page, place: Place) -> None:
    """The first of the wall."""
    _open_wall(page, place)
    page.click("li.tile >> nth=0 >> a")
    page.wait_for_url("**/watch/*")
    page.wait_for_load_state("networkidle")


def _open_opinion(page: Page, place: Place) -> None:
    """The next of the queue."""
    page.goto(f"{place.portal}/sittings/{place.numbers['open']}/verdicts")
    page.click("form[action$='/next'] button")
    page.wait_for_url("**/review/*")


# Pages that are there after a step.
OPENED: dict[str, Callable[[Page, Place], None]] = {
    "wall": _open_wall,
    "child": _open_child,
    "opinion": _open_opinion,
}


def _through_other_eyes(browser: Browser, place: Place, state: Any, album: Album) -> None:
    """The overview as a role that the super-admin looks through, and back."""
    with contextlib.closing(_context(browser, album, state)) as context:
        page = context.new_page()
        page.goto(f"{place.portal}/see-as?role=myn-bala-coordinator")
        with page.expect_navigation():
            page.click("form.form button.primary")
        album.take(page, "seen-as-coordinator")
        with page.expect_navigation():
            page.click("form[action='/see-as/end'] button")


def _context(browser: Browser, album: Album, state: Any) -> BrowserContext:
    context = browser.new_context(viewport=SIZES[album.size], storage_state=state, has_touch=album.size == "phone")  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    return context
