"""The house's page of systems: secrets are shown once, addresses are whole, all is on record."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from portal.features.oauth.queries import hash_of
from tests.portal.oauth.conftest import said_in
from tests.portal.oauth.test_sign_on import MANAGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House, Visitor
    from tests.portal.oauth.conftest import Party

SECRET = re.compile(r"<p><code>([\w-]{43})</code></p>")


@pytest.fixture
def chief(house: House) -> Visitor:
    return house.worker("system-admin")


def form(**more: object) -> dict[str, object]:
    return {
        "name_kk": "Журнал",
        "redirect_uris": "https://journal.example/back\r\n\r\nhttps://journal.example/other",
        "logout_uris": "https://journal.example/bye",
        "backchannel_uri": "https://journal.example/logout",
        "scope": ["openid", "roles"],
        **more,
    }


def newest(house: House):  # noqa: ANN201 (a record)
    return house.sql("select * from oauth_client order by id desc limit 1")[0]


def test_it_is_the_super_admins_and_the_system_admins(house: House) -> None:
    """Nobody else's."""
    for role in ("test-administrator", "proctor", MANAGER):
        assert house.worker(role).get("/sign-on/systems").status_code == 403
        assert house.worker(role).post("/sign-on/systems/key").status_code == 403
    assert house.worker("super-admin").get("/sign-on/systems").status_code == 200


def test_a_secret_is_shown_once_and_kept_as_a_print(house: House, chief: Visitor) -> None:
    """Also a new one, which ends the old one; neither is on record."""
    made = chief.post("/sign-on/systems/new", form())
    first = SECRET.findall(made.text)
    row = newest(house)
    assert [hash_of(secret) for secret in first] == [row["secret_hash"]]
    assert row["redirect_uris"] == ["https://journal.example/back", "https://journal.example/other"]
    assert (row["scopes"], row["is_own"], row["is_on"]) == (["openid", "roles"], False, True)
    where = f"/sign-on/systems/{row['id']}"
    assert first[0] not in chief.get(where).text
    second = SECRET.findall(chief.post(f"{where}/secret").text)
    assert hash_of(second[0]) == newest(house)["secret_hash"] != row["secret_hash"]
    records = house.sql("select act, coalesce(after::text, '') as said from audit where object_id = $1", str(row["id"]))
    assert {"signon.client.made", "signon.secret.made"} <= {record["act"] for record in records}
    assert not any(secret in record["said"] for record in records for secret in first + second)


def test_a_change_is_on_record_and_holds_at_once(
    house: House, make_party: Callable[..., Party], chief: Visitor
) -> None:
    """An address that was taken away leads nowhere."""
    party = make_party()
    visitor = house.worker(MANAGER)
    assert party.code(visitor)
    sent = form(redirect_uris="https://elsewhere.example/back", is_own="1", project="myn-bala")
    assert chief.post(f"/sign-on/systems/{party.id}", sent).status_code == 303
    assert visitor.get(party.way()).status_code == 400
    answer = visitor.get(party.way(redirect_uri="https://elsewhere.example/back"))
    assert said_in(answer.headers["location"], "https://elsewhere.example/back")["code"]
    fact = house.sql("select before, after from audit where act = 'signon.client.changed' order by id desc limit 1")[0]
    assert fact["before"]["redirect_uris"] == [party.redirect_uri]
    assert fact["after"]["redirect_uris"] == ["https://elsewhere.example/back"]


def test_an_app_of_a_phone_has_no_secret(house: House, chief: Visitor) -> None:
    """A public client."""
    made = chief.post("/sign-on/systems/new", form(redirect_uris="kz.elumiti.app:/back", public="1"))
    assert SECRET.findall(made.text) == []
    assert newest(house)["secret_hash"] is None


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"redirect_uris": ""}, "redirect_uris"),
        ({"redirect_uris": "http://journal.example/"}, "redirect_uris"),
        ({"redirect_uris": "https://ok.example/\nhttps://*.example/"}, "redirect_uris"),
        ({"redirect_uris": "\n".join(f"https://{n}.example/" for n in range(21))}, "redirect_uris"),
        ({"logout_uris": "javascript:alert(1)"}, "logout_uris"),
        ({"backchannel_uri": "https://192.168.0.1/x"}, "backchannel_uri"),
        ({"backchannel_uri": "http://journal.example/x"}, "backchannel_uri"),
        ({"name_kk": ""}, "name_kk"),
    ],
)
def test_what_is_refused(house: House, chief: Visitor, more: dict[str, object], field: str) -> None:
    """Beside its field, and nothing is kept."""
    before = newest(house)["id"]
    answer = chief.post("/sign-on/systems/new", form(**more))
    assert answer.status_code == 422
    assert f'id="e-{field}"' in answer.text
    assert newest(house)["id"] == before
