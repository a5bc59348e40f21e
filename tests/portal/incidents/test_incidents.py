"""What staff tell the public: who may, that it is on record, and that it ends."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from portal.core.i18n import ASTANA

if TYPE_CHECKING:
    from tests.portal.conftest import House, Place

TEXT = "Кіру баяу. Парақты жаппаңыз."


def now() -> str:
    return dt.datetime.now(ASTANA).strftime("%Y-%m-%dT%H:%M")


def test_an_incident_is_told_and_ended_on_record(house: House) -> None:
    admin = house.worker("test-administrator")
    assert admin.post("/incidents", {"text_kk": TEXT, "began_at": now()}).status_code == 303
    (row,) = house.sql("select id, project, text, ended_at from incident where text ->> 'kk' = $1", TEXT)
    assert row["text"] == dict.fromkeys(("kk", "ru", "en"), TEXT)
    assert row["ended_at"] is None
    assert TEXT in admin.get("/incidents").text
    assert admin.post(f"/incidents/{row['id']}/end").status_code == 303
    assert admin.post(f"/incidents/{row['id']}/end").status_code == 404
    acts = house.sql(
        "select act from audit where object_kind = 'incident' and object_id = $1 order by id", str(row["id"])
    )
    assert [act["act"] for act in acts] == ["incident.incident.told", "incident.incident.ended"]


def test_only_who_holds_the_country_tells_the_country(house: House, place: Place) -> None:
    """A region's administrator and a proctor change nothing."""
    before = house.sql("select count(*) as n from incident")[0]["n"]
    regional = house.worker("test-administrator", region=place.region)
    assert regional.post("/incidents", {"text_kk": TEXT, "began_at": now()}).status_code == 404
    assert house.worker("proctor").post("/incidents", {"text_kk": TEXT, "began_at": now()}).status_code == 403
    assert house.sql("select count(*) as n from incident")[0]["n"] == before


def test_a_form_that_is_wrong_says_what(house: House) -> None:
    admin = house.worker("test-administrator")
    answer = admin.post("/incidents", {"text_kk": "", "began_at": "2020-01-01T10:00"})
    assert answer.status_code == 422
    assert "жеті күн" in answer.text
