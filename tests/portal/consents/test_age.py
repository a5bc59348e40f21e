"""The age from which a person agrees alone is changed by two persons, with a reason, on record (SAFETY P6, J5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.portal.conftest import House, Place, Visitor

ROLE = "test-administrator"
LAW = "«Бала құқықтары туралы» заңның 1-бабы"


@pytest.fixture(autouse=True)
def as_before(house: House) -> Iterator[None]:
    """Eighteen again afterwards."""
    yield
    house.sql("delete from pending_act where act = 'consent.age'")
    house.sql("update setting set value = '18' where name = 'consent_age'")


def age(house: House) -> int:
    return house.sql("select value from setting where name = 'consent_age'")[0]["value"]


def asked(house: House, visitor: Visitor, wished: str) -> int:
    """The wish that waits."""
    answer = visitor.post("/consent-texts/age", {"age": wished, "reason": LAW})
    assert (answer.status_code, answer.headers.get("location")) == (303, "/acts?asked=1"), answer.text
    return house.sql("select max(id) as id from pending_act where act = 'consent.age'")[0]["id"]


def test_one_asks_and_another_does(house: House) -> None:
    """Before and after are shown, the reason too; the one who asked does not decide."""
    first, second = house.worker(ROLE), house.worker(ROLE)
    assert ">16<" not in first.get("/consent-texts").text
    act = asked(house, first, "16")
    assert age(house) == 18, "nothing has happened yet"
    assert LAW in second.get("/acts").text
    assert first.post(f"/acts/{act}/decide", {"do": "do"}).status_code == 403
    assert age(house) == 18
    assert second.post(f"/acts/{act}/decide", {"do": "do"}).status_code == 303
    assert age(house) == 16
    row = house.sql(
        "select before, after, reason from audit where act = 'consent.age.changed' order by id desc limit 1"
    )[0]
    assert (row["before"]["age"], row["after"]["age"], row["reason"]) == (18, 16, LAW)
    assert "16" in first.get("/consent-texts?lang=en").text.partition("agrees alone")[2][:200]


def test_a_wish_that_was_overtaken_changes_nothing(house: House) -> None:
    first, second = house.worker(ROLE), house.worker(ROLE)
    one, other = asked(house, first, "16"), asked(house, first, "17")
    assert second.post(f"/acts/{other}/decide", {"do": "do"}).status_code == 303
    assert second.post(f"/acts/{one}/decide", {"do": "do"}).status_code == 409
    assert age(house) == 17


@pytest.mark.parametrize("wished", ["13", "22", "18", "", "²", "sixteen", "-16"])
def test_what_is_no_such_age(house: House, wished: str) -> None:
    """Said beside the field; nothing waits."""
    answer = house.worker(ROLE).post("/consent-texts/age", {"age": wished, "reason": LAW})
    assert answer.status_code == 422
    assert house.sql("select 1 from pending_act where act = 'consent.age'") == []


def test_a_reason_is_needed_and_the_country(house: House, place: Place) -> None:
    """Neither a region's administrator nor another role moves it."""
    assert house.worker(ROLE).post("/consent-texts/age", {"age": "16", "reason": ""}).status_code == 422
    for visitor in (
        house.worker(ROLE, region=place.region),
        house.worker("myn-bala-coordinator"),
        house.worker("birge-pupil"),
    ):
        assert visitor.post("/consent-texts/age", {"age": "16", "reason": LAW}).status_code in {403, 404}
    assert house.sql("select 1 from pending_act where act = 'consent.age'") == []
