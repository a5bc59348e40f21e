"""Proctoring in a sitting's form: chosen with its cost, told to pupils, and therefore fixed once it is published."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from portal.features.sittings.structs import Watch
from portal.features.sittings.watching import estimate
from tests.portal.conftest import make_forms
from tests.portal.sittings.test_making import add_pupil, draft, make

if TYPE_CHECKING:
    from typing import Any

    from tests.portal.conftest import House, Place

CHOSEN = {"watch": "snapshots", "watch_every_s": "20", "watch_identity": "1", "watch_keep_days": "30"}


def row(house: House, sitting: int) -> dict[str, Any] | None:
    """What the engine and the ingest read."""
    rows = house.sql(
        "select every_s, most_bytes, identity, screen, keep_days from sitting_watch where sitting_id = $1", sitting
    )
    return dict(rows[0]) if rows else None


def test_it_is_chosen_shown_with_its_cost_changed_and_taken_away(house: House, place: Place) -> None:
    admin = house.worker("test-administrator")
    forms = make_forms(house)
    sitting = make(admin, draft(place, forms, **CHOSEN))
    assert row(house, sitting) == {
        "every_s": 20,
        "most_bytes": 12_288,
        "identity": True,
        "screen": False,
        "keep_days": 30,
    }
    shown = admin.get(f"/sittings/{sitting}?lang=ru").text
    assert "Снимок каждые 20 секунд, хранится 30 дней" in shown
    assert "не больше 2,7 МБ" in shown
    form = admin.get(f"/sittings/{sitting}/edit?lang=ru").text
    assert 'value="snapshots" checked' in form
    assert "30 с — 1,9 МБ/ч" in form
    admin.post(
        f"/sittings/{sitting}/edit", draft(place, forms, **{**CHOSEN, "watch_screen": "1", "watch_every_s": "60"})
    )
    assert row(house, sitting) == {
        "every_s": 60,
        "most_bytes": 12_288,
        "identity": True,
        "screen": True,
        "keep_days": 30,
    }
    admin.post(f"/sittings/{sitting}/edit", draft(place, forms, watch=""))
    assert row(house, sitting) is None


def test_a_sitting_is_not_proctored_unless_somebody_says_so(house: House, place: Place) -> None:
    admin = house.worker("test-administrator")
    assert row(house, make(admin, draft(place, make_forms(house)))) is None


def test_wrong_figures_are_told_beside_their_fields(house: House, place: Place) -> None:
    admin = house.worker("test-administrator")
    for wrong in ({"watch_every_s": "1"}, {"watch_keep_days": "4000"}, {"watch_keep_days": "ten"}):
        answer = admin.post("/sittings/new", draft(place, make_forms(house), **{**CHOSEN, **wrong}))
        assert answer.status_code == 422
        assert f'id="e-{next(iter(wrong))}"' in answer.text


def test_once_published_it_stands_and_its_partitions_are_there(house: House, place: Place) -> None:
    admin = house.worker("test-administrator")
    forms = make_forms(house)
    sitting = make(admin, draft(place, forms, **CHOSEN))
    add_pupil(house, sitting, place)
    admin.post(f"/sittings/{sitting}/clock")
    assert admin.post(f"/sittings/{sitting}/publish").status_code == 303
    assert house.sql("select to_regclass($1) is not null as there", f"picture_{sitting}")[0]["there"]
    assert admin.post(f"/sittings/{sitting}/edit", draft(place, forms, watch="")).status_code == 409
    assert row(house, sitting) is not None


def test_pictures_are_kept_beyond_the_usual_term_by_two_persons_alone(house: House, place: Place) -> None:
    """With a reason; the second one is shown the days, and agrees to no others."""
    admin, second = house.worker("test-administrator"), house.worker("test-administrator")
    forms = make_forms(house)
    usual, long, longer = ({**CHOSEN, "watch_keep_days": days} for days in ("90", "200", "365"))
    sitting = make(admin, draft(place, forms, **usual))
    add_pupil(house, sitting, place)
    admin.post(f"/sittings/{sitting}/clock")
    assert 'name="reason"' not in admin.get(f"/sittings/{sitting}").text
    where = f"/sittings/{sitting}/publish"

    def ask(chosen: dict[str, str]) -> int:
        admin.post(f"/sittings/{sitting}/edit", draft(place, forms, **chosen))
        admin.post(f"/sittings/{sitting}/clock")
        assert admin.post(where, {"reason": ""}).status_code == 409, "a reason is needed"
        assert admin.post(where, {"reason": "Сот шешімі күтілуде"}).status_code == 303
        return house.sql("select max(id) as id from pending_act where sitting_id = $1", sitting)[0]["id"]

    act = ask(long)
    shown = admin.get(f"/sittings/{sitting}").text
    assert 'name="reason"' in shown
    assert "90 күннің орнына 200 күн" in shown
    assert "200" in second.get("/acts").text
    assert admin.post(f"/acts/{act}/decide", {"do": "do"}).status_code == 403, "the same person"
    # Asked for 200 days, changed to 365 meanwhile.
    admin.post(f"/sittings/{sitting}/edit", draft(place, forms, **longer))
    admin.post(f"/sittings/{sitting}/clock")
    assert second.post(f"/acts/{act}/decide", {"do": "do"}).status_code == 409
    assert house.sql("select state from sitting where id = $1", sitting)[0]["state"] == "draft"
    admin.post(f"/sittings/{sitting}/edit", draft(place, forms, **long))
    admin.post(f"/sittings/{sitting}/clock")
    assert second.post(f"/acts/{act}/decide", {"do": "do"}).status_code == 303
    assert house.sql("select state from sitting where id = $1", sitting)[0]["state"] == "published"
    told = house.sql(
        "select reason from audit where act = 'sitting.sitting.published' and object_id = $1", str(sitting)
    )
    assert [row["reason"] for row in told] == ["Сот шешімі күтілуде"]
    drafted = house.sql(
        "select after from audit where act = 'sitting.draft.changed' and object_id = $1 order by id limit 1",
        str(sitting),
    )
    assert drafted[0]["after"]["watch"]["keep_days"] == 200


def test_the_estimate_grows_with_rhythm_time_and_screen() -> None:
    half = Watch(every_s=30, identity=False, screen=False, keep_days=90)
    hour = dt.timedelta(hours=1).seconds
    assert estimate(half, hour).megabytes == round((120 * 12_888 + 290_000) / 1e6, 1)
    assert estimate(Watch(every_s=30, identity=True, screen=True, keep_days=90), hour).megabytes > 3
    assert estimate(half, 2 * hour).battery_percent == 2 * estimate(half, hour).battery_percent - 1
