"""The house's page of providers: who may, what is refused, what is kept secret."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from portal.core.accounts.sealing import unseal
from tests.portal.conftest import PASSWORD

if TYPE_CHECKING:
    from tests.portal.conftest import House, Visitor
    from tests.portal.sign_on.conftest import At

numbers = itertools.count(1)


@pytest.fixture
def chief(house: House) -> Visitor:
    return house.worker("system-admin")


def form(**more: str) -> dict[str, object]:
    number = next(numbers)
    return {
        "code": f"page-{number}",
        "name_kk": "Сайт",
        "issuer": f"https://issuer-{number}.example",
        "client_id": "elumiti",
        "client_secret": "between the two",
        "scopes": "openid email",
        **more,
    }


def test_it_is_the_super_admins_and_the_system_admins(house: House) -> None:
    """A super-admin's in a raised session; nobody else's."""
    for role in ("test-administrator", "proctor", "myn-bala-coordinator"):
        assert house.worker(role).get("/sign-on/providers").status_code == 403
    plain = house.visitor(house.person("super-admin"), strict=True)
    assert plain.get("/sign-on/providers").status_code == 303, "the second proof first"
    assert house.worker("super-admin").get("/sign-on/providers").status_code == 200


def test_added_it_is_off_and_its_secret_sealed(house: House, chief: Visitor) -> None:
    """No page and no record shows the secret; an empty field keeps it, a tick takes it off."""
    sent = form()
    where = chief.post("/sign-on/providers/new", sent).headers["location"]
    number = int(where.rsplit("/", 1)[1])

    def row():  # noqa: ANN202 (a record)
        return house.sql("select * from signon_provider where id = $1", number)[0]

    assert not row()["is_on"]
    assert unseal(house.settings, row()["client_secret"]) == "between the two"
    assert chief.post(where, form(name_kk="Жаңа атау", client_secret="")).status_code == 303
    assert unseal(house.settings, row()["client_secret"]) == "between the two"
    assert (row()["name_kk"], row()["issuer"]) == ("Жаңа атау", sent["issuer"]), "an issuer stays"
    assert "between the two" not in chief.get(where).text
    facts = house.sql("select before::text || after::text as said from audit where object_kind = 'provider'")
    assert all("between the two" not in (fact["said"] or "") for fact in facts)
    chief.post(where, form(client_secret="", no_secret="1"))
    assert row()["client_secret"] is None


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"issuer": "http://issuer.example"}, "issuer"),
        ({"issuer": "https://127.0.0.1:1@issuer.example"}, "issuer"),
        ({"issuer": "https://10.0.0.1"}, "issuer"),
        ({"discovery": "file:///etc/passwd"}, "discovery"),
        ({"code": "Big Letters"}, "code"),
        ({"scopes": "email"}, "scopes"),
        ({"client_id": ""}, "client_id"),
        ({"name_kk": ""}, "name_kk"),
    ],
)
def test_what_is_refused(house: House, chief: Visitor, more: dict[str, str], field: str) -> None:
    """Beside its field, and nothing is kept."""
    before = house.sql("select count(*) as n from signon_provider")[0]["n"]
    answer = chief.post("/sign-on/providers/new", form(**more))
    assert answer.status_code == 422
    assert f'id="e-{field}"' in answer.text
    assert house.sql("select count(*) as n from signon_provider")[0]["n"] == before


def test_one_issuer_is_one_provider(chief: Visitor) -> None:
    """Else a link would belong to two."""
    sent = form()
    assert chief.post("/sign-on/providers/new", sent).status_code == 303
    assert chief.post("/sign-on/providers/new", {**sent, "code": "another"}).status_code == 422


def test_it_is_tried(house: House, chief: Visitor, at: At) -> None:
    """What came is shown; what did not come too."""
    where = f"/sign-on/providers/{at.provider_id}/try"
    assert f"{at.issuer}/token" in chief.post(where).text
    at.metadata = {"issuer": "https://another.example"}
    assert f"{at.issuer}/token" not in chief.post(where).text
    assert chief.post("/sign-on/providers/999999/try").status_code == 404
    assert house.visitor().post("/sign-in", {"login": "x", "password": PASSWORD}).status_code == 401
