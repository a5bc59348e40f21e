"""A module is switched for one project, by its page, on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.permissions.modules import MODULES

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.portal.conftest import House, Place

PROJECTS = ("birge-oqy", "qabilet", "myn-bala")


def on(off: Collection[str] = ()) -> list[str]:
    """All boxes but these."""
    return [pair for one in PROJECTS for module in MODULES if (pair := f"{one}:{module}") not in off]


def test_it_vanishes_from_menu_and_address_and_comes_back(house: House) -> None:
    """In its project alone; nothing that was entered is lost."""
    boss, keeper = house.worker("super-admin"), house.worker("room-supervisor")
    elsewhere = house.worker("room-supervisor", project="qabilet")
    assert 'href="/live"' in keeper.get("/").text
    try:
        assert boss.post("/modules", {"whole": "1", "on": on({"myn-bala:live"})}).status_code == 303
        answer = keeper.get("/live?lang=en")
        assert answer.status_code == 404
        assert "This part is switched off in this project." in answer.text
        assert 'href="/live"' not in keeper.get("/").text
        assert elsewhere.get("/live").status_code == 200
        record = house.sql(
            "select object_id, before, after from audit where act = 'module.module.switched' order by id desc limit 1"
        )[0]
        assert tuple(record) == ("myn-bala/live", {"on": True}, {"on": False})
        assert boss.post("/modules", {"whole": "1", "on": on()}).status_code == 303
        assert keeper.get("/live").status_code == 200
    finally:
        house.sql("delete from project_module")


def test_a_form_that_lost_its_fields_switches_nothing(house: House) -> None:
    """Boxes that are off are not sent."""
    boss = house.worker("super-admin")
    boss.post("/modules", {})
    assert house.sql("select 1 from project_module where not is_on") == []


def test_who_holds_a_region_switches_nothing(house: House, place: Place) -> None:
    """A module is the whole country's."""
    regional = house.worker("super-admin", region=place.region)
    assert regional.get("/modules").status_code == 404
    assert regional.post("/modules", {"whole": "1"}).status_code == 404
