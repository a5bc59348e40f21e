"""A crawl as each role: every link that a page shows opens, every form answers, nothing breaks."""

from __future__ import annotations

import re
from collections import deque
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import pytest

from tests.portal.conftest import make_forms

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Scene, Visitor

LINK = re.compile(r'<(?:a|form)\b[^>]*?(?:href|action)="([^"]+)"[^>]*>')
HERE = "http://portal.test"
# They end the session, or are the same page in other words.
NOT_FOLLOWED = re.compile(r"^/(sign-out|language/|look/|static/|project$|demo$)")
# Of rows that are alike the first few are opened; of lists the first pages.
MOST_OF_A_KIND = 2
MOST_PAGES = 260
# Says how to ask for access, by name (SPEC R2): tests/portal/talents.
SAYS_HOW = {("/talents", 403)}


def kind_of(path: str) -> str:
    """The page that an address is one of: numbers and what is asked for left out."""
    parts = urlsplit(path)
    names = "&".join(sorted(one.partition("=")[0] for one in parts.query.split("&") if one))
    return re.sub(r"/\d+", "/N", parts.path) + ("?" + names if names else "")


def crawl(visitor: Visitor) -> list[tuple[str, str, int]]:
    """(where the link stood, where it leads, what came) of each that did not open."""
    wrong: list[tuple[str, str, int]] = []
    seen: dict[str, int] = {}
    asked: set[str] = {"/"}
    waiting = deque([("", "/")])
    while waiting and len(asked) < MOST_PAGES:
        at, path = waiting.popleft()
        answer = visitor.get(path)
        if (path, answer.status_code) in SAYS_HOW:
            continue
        if answer.status_code not in {200, 303}:
            wrong.append((at, path, answer.status_code))
            continue
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        for tag in LINK.finditer(answer.text):
            if tag.group(0).startswith("<form") and 'method="post"' in tag.group(0):
                continue
            target = urlsplit(urljoin(HERE + path, unescape(tag.group(1))))
            if target.netloc != "portal.test" or NOT_FOLLOWED.match(target.path):
                continue
            link = target.path + (f"?{target.query}" if target.query else "")
            kind = kind_of(link)
            if link in asked or seen.get(kind, 0) >= MOST_OF_A_KIND:
                continue
            seen[kind] = seen.get(kind, 0) + 1
            asked.add(link)
            waiting.append((path, link))
    return wrong


@pytest.fixture(scope="module")
def roles(house: House) -> list[str]:
    """All that the data knows."""
    return [row["code"] for row in house.sql("select code from role order by code")]


@pytest.mark.parametrize("quarter", range(4))
def test_whatever_a_page_offers_a_role_opens(
    house: House, make_sitting: Callable[..., Scene], roles: list[str], quarter: int
) -> None:
    """Sittings that wait, run and are over; persons; a link that is shown and then refused is an error here."""
    # Runs that other tests wrote as rows alone have no tables in the store, and their pages say so.
    for table in ("talent", "result", "result_run"):
        house.sql(f"delete from {table} where run_id in (select id from score_run where code_version = '-')")
    house.sql("delete from score_run where code_version = '-'")
    assert make_forms(house, 1)
    for state, start in (("draft", 86_400), ("published", 3600), ("published", -60), ("closed", -9000)):
        scene = make_sitting(state=state, starts_in_s=start)
    house.sql(
        """
        insert into person (last_name, first_name, name_key, search_key, birth_date, language, region_code, school_id, grade)
        values ('Крауленова', 'Айша', 'kraul', ' kraul', '2015-03-14', 'kk', $1, $2, 5)
        """,
        *(scene.place.region, scene.place.schools[0]),
    )
    wrong: list[object] = []
    assert len(roles) >= 24
    for role in roles[quarter::4]:
        visitor = house.worker(role)
        for at, path, status in crawl(visitor):
            wrong.append((role, at, path, status))
    assert wrong == [], "\n".join(map(str, wrong))
