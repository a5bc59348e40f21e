"""A case and its paper, appeals, terms of pictures: who may, what stays on record, what is held and let go."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pypdf
import pytest
from PIL import Image

from portal.core.jobs.worker import run_one
from portal.features.proctoring import complaints
from portal.features.work import WORK
from tests.portal.proctoring import conftest
from tests.portal.proctoring.test_review import BREACH, next_of, reviewer, say_on_the_wall

if TYPE_CHECKING:
    from tests.portal.conftest import House, Scene, Visitor
    from tests.portal.proctoring.conftest import Looker


@pytest.fixture
def settled(house: House, watched: Scene) -> int:
    """The first child: two say a breach."""
    for _ in range(2):
        say_on_the_wall(house, watched, BREACH, watched.pupils[0])
    return watched.pupils[0]


def moment_of(house: House, child: int) -> str:
    return str(house.sql("select taken_ms from picture where attempt_id = $1", child)[0]["taken_ms"])


def held(house: House, watched: Scene) -> set[int]:
    """Whose pictures are held."""
    rows = house.sql("select attempt_id from picture_hold where sitting_id = $1 and released_at is null", watched.id)
    return {row["attempt_id"] for row in rows}


def appeal(visitor: Visitor, watched: Scene, child: int, **more: str) -> int:
    """Write one down; the answer's status, or its number."""
    said = {
        "attempt": str(child),
        "channel": "phone",
        "told_by": "Анасы Сәуле",
        "words": "Әжесі кірген",
        "language": "kk",
    }
    answer = visitor.post(f"/sittings/{watched.id}/appeals", said | more)
    if answer.status_code != 303:
        return -answer.status_code
    return int(answer.headers["location"].rsplit("/", 1)[1])


def test_a_case_has_notes_evidence_and_a_paper_that_a_seal_takes_back(
    house: House, watched: Scene, settled: int, looker: Looker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The paper's pictures are asked for with the reader's name, on record; sealed later, the paper is gone."""
    made = io.BytesIO()
    Image.new("RGB", (32, 24), "navy").save(made, "JPEG")
    monkeypatch.setattr(conftest, "PIXEL", made.getvalue())
    one = reviewer(house)
    at = moment_of(house, settled)
    assert one.post(f"/cases/{settled}/notes", {"words": " "}).status_code == 422
    assert one.post(f"/cases/{settled}/notes", {"words": "Мектепке хабарластым"}).status_code == 303
    for seq in ("1", "2"):
        assert one.post(f"/cases/{settled}/evidence", {"seq": seq, "at": at}).status_code == 303
    assert len(house.sql("select 1 from watch_evidence where attempt_id = $1", settled)) == 1
    assert "Мектепке хабарластым" in one.get(f"/cases/{settled}").text
    assert "purpose=missing" in one.post(f"/cases/{settled}/paper", {"purpose": ""}).headers["location"]
    path = one.post(f"/cases/{settled}/paper", {"purpose": "Комиссия"}).headers["location"]
    job = int(path.rsplit("/", 1)[1])
    pool = house.front.inner.state.pool
    house.loop.run(run_one(pool, house.front.inner.state.settings, WORK, job))
    assert any(f"/{settled}/1" in asked[0] and "(p" in asked[1] for asked in looker.asked)
    assert house.sql("select reason from watch_look where attempt_id = $1", settled)[0]["reason"] == "Комиссия"
    shown = one.get(path).text
    link = shown.split('class="button primary" href="')[1].split('"')[0].replace("&amp;", "&")
    taken = one.get(link)
    assert taken.status_code == 200, taken.text
    assert taken.content.startswith(b"%PDF")
    assert reviewer(house).get(link).status_code == 404
    assert reviewer(house).get(path).status_code == 404
    assert one.post(f"/review/{settled}/seal", {"shot": f"1-{at}", "back": "case"}).status_code == 303
    assert one.get(link).status_code == 404
    assert "кері алынды" in one.get(path).text


def test_who_looked_is_told_in_pictures_not_in_loads_of_a_page(house: House, watched: Scene, settled: int) -> None:
    """Each load of a page draws its pictures anew, on record; the case says how many pictures a person has seen."""
    looks = [1] * 6 + [2] * 3
    house.sql(
        """
        insert into watch_look (staff_id, attempt_id, sitting_id, seq)
        select (select max(id) from staff), $1, $2, seq from unnest($3::int[]) seq
        """,
        *(settled, watched.id, looks),
    )
    one = reviewer(house)
    assert re.search(r"Адам p\d+: Суреттер: 2 \(", one.get(f"/cases/{settled}").text)
    house.sql(
        """
        insert into watch_look (staff_id, attempt_id, sitting_id, seq, reason)
        select staff_id, attempt_id, sitting_id, 0, 'live' from watch_look where attempt_id = $1 limit 1
        """,
        settled,
    )
    assert re.search(r"Адам p\d+: Суреттер: 2, тікелей қарау: 1 \(", one.get(f"/cases/{settled}").text)


def test_a_paper_without_evidence_says_so_in_a_sentence(house: House, settled: int, looker: Looker) -> None:
    """No heading stands over nothing; and events have their length, as on the page."""
    one = reviewer(house)
    house.sql("update watch_event set data = $2 where attempt_id = $1", settled, {"ms": 37_600})
    path = one.post(f"/cases/{settled}/paper", {"purpose": "Комиссия"}).headers["location"]
    state = house.front.inner.state
    house.loop.run(run_one(state.pool, state.settings, WORK, int(path.rsplit("/", 1)[1])))
    link = one.get(path).text.split('class="button primary" href="')[1].split('"')[0].replace("&amp;", "&")
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(one.get(link).content)).pages)
    assert "Дәлел ретінде сурет таңдалмаған" in text
    assert "беттен шықты, 38 с" in text
    # The zone is named where the case begins and at the foot of the page, not beside each time.
    assert text.count("Астана уақыты") == 2, text
    assert "Дәлел ретінде таңдалған суреттер" not in text
    assert not looker.asked


def test_an_appeal_is_decided_by_somebody_else_and_nothing_is_overwritten(
    house: House, watched: Scene, settled: int
) -> None:
    """It holds its own pictures; upheld, a new ruling stands beside the first and the pictures are let go."""
    one = reviewer(house)
    assert appeal(one, watched, watched.pupils[1]) == -422
    assert appeal(one, watched, settled, words="") == -422
    number = appeal(one, watched, settled)
    assert number > 0
    assert appeal(one, watched, settled) == -422
    assert held(house, watched) == {settled}
    assert one.get(f"/appeals/{number}/answer").status_code == 404
    judge = house.sql("select made_by from watch_verdict where attempt_id = $1 limit 1", settled)[0]["made_by"]
    login = house.sql("select login from staff where id = $1", judge)[0]["login"]
    house.sql(
        "insert into staff_grant (staff_id, role, ends_at, project) values ($1, 'quality-manager', now() + interval '1 day', 'myn-bala')",
        judge,
    )
    judged = house.visitor(login).post(f"/appeals/{number}/decide", {"state": "rejected", "reason": "x"})
    assert judged.status_code == 403
    two = house.worker("quality-manager")
    assert two.post(f"/appeals/{number}/decide", {"state": "upheld", "reason": ""}).status_code == 422
    said = {"state": "upheld", "reason": "Әжесі шай әкелген"}
    unlooked = two.post(f"/appeals/{number}/decide", said)
    assert unlooked.status_code == 422, "the answer tells the family that somebody looked anew"
    assert "Алдымен істі қайта қараңыз" in unlooked.text
    said["looked"] = "yes"
    assert two.post(f"/appeals/{number}/decide", said).status_code == 303
    assert two.post(f"/appeals/{number}/decide", said | {"state": "rejected"}).status_code in {303, 403}
    rulings = house.sql("select kind from watch_ruling where attempt_id = $1 order by id", settled)
    assert [row["kind"] for row in rulings] == ["breach", "fine"]
    assert held(house, watched) == set()
    assert "Әжесі шай әкелген" in two.get(f"/appeals/{number}/answer").text
    assert house.worker("proctor").get(f"/appeals/{number}").status_code == 403
    elsewhere = reviewer(house, school=watched.place.schools[1])
    assert elsewhere.get(f"/appeals/{number}").status_code == 404


def test_the_term_of_appeals_ends_and_with_it_the_hold(house: House, watched: Scene, settled: int) -> None:
    """Not before, and not while an appeal is open."""
    one = reviewer(house)

    async def release() -> None:
        async with house.front.inner.state.pool.acquire() as db:
            await complaints.release_over(db)

    house.loop.run(release())
    assert held(house, watched) == {settled}
    number = appeal(one, watched, settled)
    house.sql("update watch_ruling set made_at = now() - interval '11 days' where attempt_id = $1", settled)
    house.loop.run(release())
    assert held(house, watched) == {settled}
    assert (
        house.worker("quality-manager")
        .post(f"/appeals/{number}/decide", {"state": "rejected", "reason": "Көрініп тұр", "looked": "yes"})
        .status_code
        == 303
    )
    assert appeal(one, watched, settled) == -422
    house.loop.run(release())
    assert held(house, watched) == set()


def test_one_childs_pictures_are_erased_by_two_persons_unless_held(house: House, watched: Scene, settled: int) -> None:
    """The first asks, a second agrees; what a case holds is refused."""
    one, two, child = reviewer(house), reviewer(house), watched.pupils[1]
    path = f"/sittings/{watched.id}/pictures"
    assert one.get(path).status_code == 200
    assert one.post(f"{path}/erase", {"attempt": str(settled), "reason": "x"}).status_code == 422
    assert one.post(f"{path}/erase", {"attempt": "9", "reason": "x"}).status_code == 422
    assert one.post(f"{path}/erase", {"attempt": str(child), "reason": "Ата-анасы сұрады"}).status_code == 303
    assert house.sql("select 1 from picture_erasure where attempt_id = $1", child) == []
    act = house.sql("select max(id) as id from pending_act where act = 'watch.erase'")[0]["id"]
    assert one.post(f"/acts/{act}/decide", {"do": "do", "reason": ""}).status_code == 403
    assert two.post(f"/acts/{act}/decide", {"do": "do", "reason": ""}).status_code == 303
    assert house.sql("select reason from picture_erasure where attempt_id = $1", child)[0]["reason"] == "asked"
    assert house.sql("select 1 from audit where act = 'watch.pictures.erased' and object_id = $1", str(child))
    assert one.post(f"{path}/prove", {"attempt": str(child)}).status_code == 303
    assert house.sql("select checked_at from picture_proof where attempt_id = $1", child)[0]["checked_at"] is None
    assert f"№ {child % 100_000}" in one.get(path).text
    assert house.worker("proctor").get(path).status_code == 403
    assert next_of(two, watched) != settled
