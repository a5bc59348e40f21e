"""What a proctor does to a child in his hands, what the child hears of it, and to whom he may not do it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from portal.features.proctoring.forgotten import end_forgotten
from tests.portal.proctoring.test_wall import take

if TYPE_CHECKING:
    from tests.portal.conftest import House, Scene, Visitor

ACTS: dict[str, dict[str, object]] = {
    "warn": {"sentence": "stay"},
    "pause": {},
    "resume": {},
    "extra": {"minutes": "5", "reason_extra": "Жарық өшті"},
    "end": {"reason_end": "Басқа адам отыр"},
    "phones": {},
}


@pytest.fixture
def proctor(house: House, watched: Scene) -> Visitor:
    """With the first child in his hands."""
    made = house.worker("proctor")
    take(made, watched, 1)
    return made


def act(visitor: Visitor, child: int, name: str, **more: object) -> int:
    """Send its form; the status."""
    return visitor.post(f"/watch/{child}/{name}", {**ACTS[name], **more}).status_code


def controls(house: House, scene: Scene) -> list[tuple[str, str, str]]:
    """(scope, whom, kind) in order."""
    rows = house.sql("select scope, scope_id, kind from control where sitting_id = $1 order by version", scene.id)
    return [(row["scope"], row["scope_id"], row["kind"]) for row in rows]


def test_a_ready_sentence_reaches_the_child_in_three_languages(house: House, watched: Scene, proctor: Visitor) -> None:
    """The page says it in the child's; whether it is on the child's screen is shown when the player said so."""
    child = watched.pupils[0]
    page = proctor.get(f"/watch/{child}").text
    assert "Тест бетінен шықпай отыр" in page
    assert act(proctor, child, "warn") == 303
    row = house.sql("select body, version from control where sitting_id = $1", watched.id)[0]
    assert row["body"]["text"]["kk"].startswith("Тест бетінен")
    assert row["body"]["text"]["ru"].startswith("Оставайся")
    assert "жолда" in (text := proctor.get(f"/watch/{child}/deeds").text) or "жіберілді" in text
    house.sql("update control set relayed_at = now() where sitting_id = $1", watched.id)
    assert "баланың экранында әлі жоқ" in proctor.get(f"/watch/{child}/deeds").text
    house.sql(
        "insert into control_seen (attempt_id, version, seen_ms) values ($1, $2, $3)",
        *(child, row["version"], int(time.time() * 1000)),
    )
    assert "баланың экранында:" in proctor.get(f"/watch/{child}/deeds").text
    assert (
        house.sql("select count(*) from audit where act = 'control.message.sent' and object_id = $1", str(watched.id))[
            0
        ][0]
        == 1
    )


def test_own_words_are_on_record_and_sampled_by_another(house: House, watched: Scene, proctor: Visitor) -> None:
    """SAFETY R4; nobody samples his own, and nobody twice."""
    child = watched.pupils[0]
    for words in ("", "x" * 201, "Мына сайтқа кір: www.example.com"):
        assert act(proctor, child, "warn", sentence="own", own=words) == 422
    assert act(proctor, child, "warn", sentence="nothing") == 422
    assert act(proctor, child, "warn", sentence="own", own="Орындығыңды жақынырақ қой") == 303
    rows = house.sql("select id, words, sentence, sampled from watch_act where attempt_id = $1", child)
    assert [(row["words"], row["sentence"], row["sampled"]) for row in rows] == [
        ("Орындығыңды жақынырақ қой", "", None)
    ]
    where = f"/sittings/{watched.id}/verdicts/words"
    assert proctor.get(where).status_code == 403
    reviewer, other = house.worker("quality-manager"), house.worker("quality-manager")
    assert "Орындығыңды" in reviewer.get(where).text
    assert reviewer.post(f"{where}/{rows[0]['id']}", {"said": "nonsense"}).status_code == 404
    assert reviewer.post(f"{where}/{rows[0]['id']}", {"said": "wrong"}).status_code == 303
    assert other.post(f"{where}/{rows[0]['id']}", {"said": "fine"}).status_code == 404
    assert house.sql("select sampled from watch_act where id = $1", rows[0]["id"])[0]["sampled"] == "wrong"
    # A test administrator holds both permissions.
    admin = house.worker("test-administrator")
    proctor.post(f"/sittings/{watched.id}/wall/back")
    take(admin, watched, 1)
    assert act(admin, child, "warn", sentence="own", own="Бәрі жақсы") == 303
    own = house.sql("select max(id) as id from watch_act where attempt_id = $1", child)[0]["id"]
    assert admin.post(f"{where}/{own}", {"said": "fine"}).status_code == 404


def test_a_child_is_not_flooded(house: House, watched: Scene, proctor: Visitor) -> None:
    """Ten in ten minutes."""
    child = watched.pupils[0]
    answers = [act(proctor, child, "warn", sentence="calm") for _ in range(11)]
    assert answers == [303] * 10 + [422]
    assert len(controls(house, watched)) == 10


def test_a_pause_is_undone_and_gives_its_time_back(house: House, watched: Scene, proctor: Visitor) -> None:
    """The same control as from the live page; twice is refused."""
    child = watched.pupils[0]
    assert act(proctor, child, "resume") == 409
    assert act(proctor, child, "pause") == 303
    assert act(proctor, child, "pause") == 409
    assert "Уақытты жалғастыру" in proctor.get(f"/watch/{child}").text
    assert act(proctor, child, "resume") == 303
    assert controls(house, watched) == [("attempt", str(child), "pause"), ("attempt", str(child), "resume")]
    assert house.sql("select over_at from watch_act where attempt_id = $1", child)[0]["over_at"] is not None


def test_a_forgotten_pause_ends_by_rule(house: House, watched: Scene, proctor: Visitor) -> None:
    """After ten minutes, once, whatever the number of workers; on record, and its proctor is told."""
    child = watched.pupils[0]
    assert act(proctor, child, "pause") == 303
    pool, settings = house.front.inner.state.pool, house.settings

    def rounds() -> None:
        # Other tests' pauses may be due too.
        while house.loop.run(end_forgotten(pool, settings)):
            pass

    rounds()
    assert len(controls(house, watched)) == 1
    house.sql("update watch_act set made_at = now() - interval '11 minutes' where attempt_id = $1", child)
    house.sql(
        "update control set body = jsonb_build_object('since_ms', (extract(epoch from now()) * 1000)::bigint - 660000) where sitting_id = $1",
        watched.id,
    )
    rounds()
    rounds()
    assert [kind for _, _, kind in controls(house, watched)] == ["pause", "resume"]
    body = house.sql("select body from control where sitting_id = $1 and kind = 'resume'", watched.id)[0]["body"]
    assert 655 <= body["paused_s"] <= 680
    assert (
        house.sql(
            "select count(*) from notice where kind = 'watch.pause-ended' and link = $1", f"/sittings/{watched.id}/wall"
        )[0][0]
        == 1
    )
    assert (
        house.sql("select count(*) from audit where act = 'watch.pause.ended-by-rule' and object_id = $1", str(child))[
            0
        ][0]
        == 1
    )
    assert "ереже бойынша" in proctor.get(f"/watch/{child}/deeds").text


def test_a_pause_that_another_ended_is_left_alone(house: House, watched: Scene, proctor: Visitor) -> None:
    """An administrator let the clock go on from the live page: no second resume."""
    child = watched.pupils[0]
    assert act(proctor, child, "pause") == 303
    admin = house.worker("test-administrator")
    values = {"scope": "attempt", "id": str(child), "kind": "resume", "reason": "Болды"}
    assert admin.post(f"/sittings/{watched.id}/controls", values).status_code == 303
    house.sql("update watch_act set made_at = now() - interval '11 minutes' where attempt_id = $1", child)
    while house.loop.run(end_forgotten(house.front.inner.state.pool, house.settings)):
        pass
    assert len(controls(house, watched)) == 2


def test_time_and_end_need_who_may(house: House, watched: Scene, proctor: Visitor) -> None:
    """A proctor asks a second person for time and for an end (decision 69), who reads a number, no name."""
    child = watched.pupils[0]
    for name in ("extra", "end"):
        assert act(proctor, child, name, **{f"reason_{name}": ""}) == 422
    for _ in range(2):
        assert act(proctor, child, "extra") == 303, "asked once, however often the button is pressed"
        assert act(proctor, child, "end") == 303
    assert controls(house, watched) == []
    waiting = house.sql("select id, act, before::text from pending_act where sitting_id = $1 order by id", watched.id)
    assert [row["act"] for row in waiting] == ["control.extra", "control.end"]
    assert "Серікова" not in str([row["before"] for row in waiting])
    assert f"№ {child % 100_000}" in waiting[1]["before"]
    assert "екінші адам" in proctor.get(f"/watch/{child}/deeds").text
    assert proctor.post(f"/acts/{waiting[1]['id']}/decide", {"do": "do"}).status_code in {403, 404}
    admin = house.worker("test-administrator")
    assert admin.post(f"/acts/{waiting[1]['id']}/decide", {"do": "do"}).status_code == 303
    assert [kind for _, _, kind in controls(house, watched)] == ["end"]


def test_an_administrator_alone(house: House, watched: Scene) -> None:
    """By the rules of controls: one person for one child."""
    admin = house.worker("test-administrator")
    take(admin, watched, 1)
    child = watched.pupils[0]
    assert act(admin, child, "extra") == 303
    assert act(admin, child, "end") == 303
    assert [kind for _, _, kind in controls(house, watched)] == ["extra", "end"]


@pytest.mark.parametrize("name", list(ACTS))
def test_each_act_is_refused_where_it_must_be(house: House, watched: Scene, proctor: Visitor, name: str) -> None:
    """Not in his hands, in nobody's, no permission, another territory: nothing is done and nothing said."""
    child, other = watched.pupils[0], watched.pupils[1]
    assert act(proctor, other, name) == 404
    assert act(proctor, 999_999_999, name) == 404
    assert act(house.worker("proctor"), child, name) == 404
    assert act(house.worker("quality-manager"), child, name) == 403
    assert act(house.worker("analyst"), child, name) == 403
    assert house.visitor().post(f"/watch/{child}/{name}", {}).status_code in {303, 401}
    assert controls(house, watched) == []
    assert house.sql("select count(*) from watch_act where sitting_id = $1", watched.id)[0][0] == 0


def test_nobody_acts_on_his_own_school(house: House, watched: Scene) -> None:
    """Also where a child came into the hands before the person's own school was known."""
    login = house.person("proctor")
    visitor = house.visitor(login)
    take(visitor, watched, 1)
    house.sql("update staff set own_school_id = $2 where login = $1", login, watched.place.schools[0])
    assert act(visitor, watched.pupils[0], "pause") == 403
    assert controls(house, watched) == []


def test_a_closed_sitting_takes_no_acts(house: House, watched: Scene, proctor: Visitor) -> None:
    """Its players hear nothing more."""
    house.sql("update sitting set state = 'closed' where id = $1", watched.id)
    for name in ("warn", "pause", "extra", "end"):
        assert act(proctor, watched.pupils[0], name) == 409


def test_whom_to_call_is_shown_on_record_without_the_schools_name(
    house: House, watched: Scene, proctor: Visitor
) -> None:
    """Two clicks: the button, the number."""
    child = watched.pupils[0]
    house.sql(
        "update school set contact_name = 'Сәуле Әлімова', contact_phone = '+7 727 111 22 33' where id = $1",
        watched.place.schools[0],
    )
    assert "+7 727" not in proctor.get(f"/watch/{child}").text
    text = proctor.post(f"/watch/{child}/phones").text
    assert 'href="tel:+77271112233"' in text
    assert "+7 700" in text
    for code in watched.place.codes:
        assert code not in text
    assert (
        house.sql("select count(*) from audit where act = 'watch.phones.shown' and object_id = $1", str(child))[0][0]
        == 1
    )


def test_the_page_tells_when_a_child_answered_and_never_what(house: House, watched: Scene, proctor: Visitor) -> None:
    """Counts of half minutes on the axis; the identity photo beside the picture; 240 pictures in a list of links."""
    child, now = watched.pupils[0], int(time.time() * 1000)
    house.sql(
        """
        insert into response_event (sitting_id, attempt_id, device, seq, kind, item, value, anchor_ms, since_ms, received_ms)
        select $1, $2, gen_random_uuid(), n, 1, 77, '"geheim"', $3::bigint - 240000 + n * 1000, 0, $3
        from generate_series(1, 60) n
        """,
        *(watched.id, child, now),
    )
    house.sql(
        """
        insert into picture (sitting_id, attempt_id, seq, kind, taken_ms, received_ms, segment_id, byte_offset, byte_length,
                             key_id)
        select $1, $2, n, case when n = 2 then 'identity' else 'snapshot' end, $3::bigint - n * 30000, $3, gen_random_uuid(), 0, 9,
               '\\x0011223344556677'
        from generate_series(2, 241) n
        """,
        *(watched.id, child, now),
    )
    text = proctor.get(f"/watch/{child}").text
    assert text.count('class="axis-bar"') in {2, 3}
    assert "geheim" not in text
    assert text.count("data-shot=") == 240
    assert f"/watch/{child}/pictures/2?at={now - 60000}" in text, "the identity photo"
    again = proctor.get(f"/watch/{child}?n=100&at={now - 3_000_000}").text
    assert f'src="/watch/{child}/pictures/100?at={now - 3_000_000}"' in again
    assert proctor.get(f"/watch/{child}?n=x&at=y").status_code == 200
    assert len(text) < 300_000


def test_who_is_on_a_childs_page_keeps_his_children(house: House, watched: Scene, proctor: Visitor) -> None:
    """A long look at one child does not give the others away."""
    house.sql("update watch_hand set seen_at = now() - interval '110 seconds' where sitting_id = $1", watched.id)
    assert proctor.get(f"/watch/{watched.pupils[0]}/deeds").status_code == 200
    row = house.sql(
        "select seen_at > now() - interval '20 seconds' as fresh from watch_hand where sitting_id = $1", watched.id
    )
    assert row[0]["fresh"]


def test_who_reads_another_language_is_told_what_a_sentence_means(
    house: House, watched: Scene, proctor: Visitor
) -> None:
    """The child's language is said first; the proctor's own stands below it, where it is another."""
    child = watched.pupils[0]
    meaning = "Please stay on the page of the test. Your answers are kept."
    assert meaning not in proctor.get(f"/watch/{child}").text
    proctor.get("/language/en?next=/")
    page = proctor.get(f"/watch/{child}").text
    assert "Тест бетінен шықпай отыр" in page
    assert meaning in page


def test_a_child_is_spoken_to_in_the_language_it_chose_last(house: House, watched: Scene, proctor: Visitor) -> None:
    """Entered as a reader of Kazakh, the child reads the test in Russian: so its own words are written in Russian."""
    child, now = watched.pupils[0], int(time.time() * 1000)
    assert "Тест бетінен шықпай отыр" in proctor.get(f"/watch/{child}").text
    for seq, language in enumerate(('"en"', '"ru"', "no JSON", '"xx"'), start=1):
        house.sql(
            """
            insert into response_event (sitting_id, attempt_id, device, seq, kind, value, anchor_ms, since_ms, received_ms)
            values ($1, $2, gen_random_uuid(), $3, 7, $4, $5, 0, $5)
            """,
            *(watched.id, child, seq, language, now + seq * 1000),
        )
    page = proctor.get(f"/watch/{child}").text
    assert "Оставайся, пожалуйста, на странице теста" in page
    assert 'lang="ru"' in page


def test_a_picture_that_says_it_is_of_tomorrow_hides_no_true_one(
    house: House, watched: Scene, proctor: Visitor
) -> None:
    """The page opens with the newest true one, and the axis ends today; the other can still be looked at."""
    child, now = watched.pupils[0], int(time.time() * 1000)
    tomorrow = now + 22 * 3_600_000
    house.sql(
        """
        insert into picture (sitting_id, attempt_id, seq, kind, taken_ms, received_ms, segment_id, byte_offset, byte_length,
                             key_id)
        values ($1, $2, 9, 'snapshot', $3, $4, gen_random_uuid(), 0, 9, '\\x0011223344556677')
        """,
        *(watched.id, child, tomorrow, now),
    )
    house.sql(
        "insert into watch_event (sitting_id, attempt_id, seq, kind, at_ms, received_ms) values ($1, $2, 9, 'tab-left', $3, $4)",
        *(watched.id, child, tomorrow, now),
    )
    text = proctor.get(f"/watch/{child}").text
    shown = re.search(r'src="([^"]+)"[^>]*data-shown', text)
    assert shown
    assert "/pictures/1?" in shown[1]
    assert f"/watch/{child}/pictures/9?at={tomorrow}" in text
    # The true event, a second after the first picture, is no dot at the beginning of a day.
    places = sorted(float(one) for one in re.findall(r'class="axis-event[^"]*" cx="([\d.]+)"', text))
    assert places[0] > 10
    assert places[1] == 1000
    asked = proctor.get(f"/watch/{child}?n=9&at={tomorrow}").text
    assert "/pictures/9?" in re.search(r'src="([^"]+)"[^>]*data-shown', asked)[1]  # type: ignore[index]


def test_no_verdict_is_chosen_until_somebody_chooses(house: House, watched: Scene, proctor: Visitor) -> None:
    """One press on a page just opened says nothing of a child."""
    child = watched.pupils[0]
    text = proctor.get(f"/watch/{child}").text
    verdict = text[text.index('name="verdict"') :]
    assert " selected" not in verdict[: verdict.index("</select>")]
    refused = proctor.post(f"/watch/{child}/verdict", {"verdict": ""})
    assert refused.status_code == 422
    assert refused.text.count("error-summary") == 1, "told once, where it was made"
    assert refused.text.index("error-summary") > refused.text.index('id="deeds"')
    assert house.sql("select count(*) from watch_verdict where attempt_id = $1", child)[0][0] == 0


def test_nothing_is_done_to_a_child_that_has_handed_in(house: House, watched: Scene, proctor: Visitor) -> None:
    """The page offers none of it and says why; what was on its way says that it came too late; a taken back hand-in opens all."""
    child = watched.pupils[0]
    assert act(proctor, child, "warn") == 303
    house.sql("update control set relayed_at = now() where sitting_id = $1", watched.id)
    house.sql(
        "insert into attempt (id, sitting_id, signed_in_at, started_at, finished_at) values ($1, $2, now(), now(), now())",
        *(child, watched.id),
    )
    page = proctor.get(f"/watch/{child}").text
    assert "Бала жұмысын тапсырып қойды." in page
    assert all(f'action="/watch/{child}/{name}"' not in page for name in ("warn", "pause", "resume", "extra", "end"))
    assert "жеткенше бала тапсырып қойған" in page
    assert "баланың экранында әлі жоқ" not in page
    for name in ("warn", "pause", "resume", "extra", "end"):
        assert act(proctor, child, name) == 409
    assert [kind for _, _, kind in controls(house, watched)] == ["message"]
    assert house.sql("select count(*) from pending_act where sitting_id = $1", watched.id)[0][0] == 0
    house.sql("update attempt set finished_at = null where id = $1", child)
    assert f'action="/watch/{child}/pause"' in proctor.get(f"/watch/{child}").text
    assert act(proctor, child, "pause") == 303


def test_what_waits_for_a_second_person_is_shown_whole(house: House, watched: Scene, proctor: Visitor) -> None:
    """Minutes, reason, who and when: as of what was done."""
    child = watched.pupils[0]
    assert act(proctor, child, "extra", minutes="7") == 303
    page = proctor.get(f"/watch/{child}/deeds").text
    for said in ("екінші адамды күтіп тұр", "7 мин 0 с", "Жарық өшті", "Адам p"):
        assert said in page
    assert re.search(r"\d\d:\d\d:\d\d", page)


def test_who_asked_for_an_end_and_why_stays_to_be_read(house: House, watched: Scene, proctor: Visitor) -> None:
    """After the second person's yes; and it is called an end by staff, not the child's own hand-in."""
    child = watched.pupils[0]
    assert act(proctor, child, "end") == 303
    pending = house.sql("select id from pending_act where sitting_id = $1", watched.id)[0]["id"]
    assert house.worker("test-administrator").post(f"/acts/{pending}/decide", {"do": "do"}).status_code == 303
    house.sql(
        "insert into attempt (id, sitting_id, signed_in_at, started_at, finished_at) values ($1, $2, now(), now(), now())",
        *(child, watched.id),
    )
    text = proctor.get(f"/watch/{child}").text
    for said in ("Бұл жұмысты қызметкер аяқтады.", "Басқа адам отыр", "сұраған: Адам p"):
        assert said in text
    assert "Бала жұмысын тапсырып қойды." not in text


def test_a_childs_page_wears_the_chosen_look(watched: Scene, proctor: Visitor) -> None:
    """Light or dark as chosen, like every page."""
    assert 'data-look="auto"' in proctor.get(f"/watch/{watched.pupils[0]}").text


def test_an_end_promises_no_moment_that_has_passed(house: House, watched: Scene, proctor: Visitor) -> None:
    """The second person reads that it ends when he agrees, not when it was asked for."""
    assert act(proctor, watched.pupils[0], "end") == 303
    page = house.worker("test-administrator").get("/acts").text
    assert "бұл әрекет орындалған бойда аяқталады" in page
