"""What a system whose token was stolen may try: past its measure, past its project, past what a person decided (SAFETY P4, P5)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.portal.machines.conftest import PATCH, SCHOOL, SCIM, USER, System, user
from tests.portal.machines.test_scim import login, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House

ERROR = ["urn:ietf:params:scim:api:messages:2.0:Error"]
IIN = "900101300017"


@pytest.fixture
def system(join: Callable[..., System]) -> System:
    """Joined to a project whose pupils came by themselves."""
    return join(project="qabilet", roles=("qabilet-test-taker",))


def taker(house: House) -> tuple[int, str]:
    """Somebody of the project, whom no system made: (id, public id)."""
    name = house.person("qabilet-test-taker", project="qabilet")
    row = house.sql("select id, public_id::text from staff where login = $1", name)[0]
    return row["id"], row["public_id"]


def shut(house: House, *staff: int) -> int:
    """How many of them cannot sign in."""
    return house.sql("select count(*) from staff where id = any($1::int[]) and disabled_at is not null", list(staff))[
        0
    ][0]


def test_deleting_is_counted_like_closing(house: House, system: System) -> None:
    """The second deletion within the hour is not done, and nothing further is."""
    victims = [taker(house) for _ in range(4)]
    said = [system.ask("DELETE", f"/Users/{public}").status_code for _, public in victims]
    assert said == [204, 403, 403, 403]
    assert shut(house, *(staff for staff, _ in victims)) == 1


def test_a_login_that_is_made_anew_is_no_new_one(house: House, system: System) -> None:
    """Neither deleting nor making it again takes it out of the measure."""
    (first, public), (second, other) = taker(house), taker(house)
    name = house.sql("select login from staff where id = $1", first)[0][0]
    assert system.ask("DELETE", f"/Users/{public}").status_code == 204
    again = system.ask("POST", "/Users", user(name, active=True))
    assert again.status_code == 201, again.text
    assert shut(house, first) == 0, "what it shut itself it opens"
    assert system.ask("DELETE", f"/Users/{other}").status_code == 403
    assert shut(house, second) == 0


def test_a_crowd_of_made_up_logins_widens_no_measure(house: House, system: System) -> None:
    """The hundredth part is of those that were there an hour ago."""
    victims = [taker(house) for _ in range(2)]
    house.sql(
        """
        with made as (
            insert into staff (login, full_name, password_hash, language)
            select 'crowd-' || $1::int || '-' || n, 'Crowd', '', 'kk' from generate_series(1, 500) n
            returning id)
        insert into machine_user (staff_id, client_id) select id, $1::int from made
        """,
        system.id,
    )
    assert system.ask("GET", "/Users?count=1").json()["totalResults"] > 500
    said = [system.ask("DELETE", f"/Users/{public}").status_code for _, public in victims]
    assert said == [204, 403]


def test_what_a_person_shut_no_system_opens(house: House, system: System) -> None:
    """By no way: PATCH, PUT, or making it anew after deleting it."""
    staff, public = taker(house)
    name = house.sql("update staff set disabled_at = now() where id = $1 returning login", staff)[0][0]
    for method, path, body in (
        ("PATCH", f"/Users/{public}", replace("active", value=True)),
        ("PUT", f"/Users/{public}", user(name, active=True)),
    ):
        answer = system.ask(method, path, body)
        assert (answer.status_code, answer.json()["schemas"]) == (403, ERROR)
    assert system.ask("DELETE", f"/Users/{public}").status_code == 204
    assert system.ask("POST", "/Users", user(name)).status_code == 403
    assert shut(house, staff) == 1


def test_what_it_shut_it_opens_until_a_person_shuts_it(house: House, system: System) -> None:
    staff, public = taker(house)
    path = f"/Users/{public}"
    for wished in (False, True, False):
        assert system.ask("PATCH", path, replace("active", value=wished)).json()["active"] is wished
    house.sql("update staff set disabled_at = null where id = $1", staff)
    house.sql("update staff set disabled_at = now() where id = $1", staff)
    assert system.ask("PATCH", path, replace("active", value=True)).status_code == 403
    assert shut(house, staff) == 1


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("active", False), ("userName", "somebody-else"), ("displayName", "Басқа адам"), ("preferredLanguage", "en")],
)
def test_a_login_of_two_projects_is_not_one_systems(
    house: House, system: System, attribute: str, value: object
) -> None:
    """What it is in the other project stays; taken out of this one it goes on there."""
    staff, public = taker(house)
    house.sql(
        "insert into staff_grant (staff_id, role, project, ends_at) values ($1, 'birge-pupil', 'birge-oqy', now() + interval '9 days')",
        staff,
    )
    before = house.sql("select login, full_name, language, disabled_at from staff where id = $1", staff)[0]
    assert system.ask("PATCH", f"/Users/{public}", replace(attribute, value)).status_code == 403
    assert system.ask("DELETE", f"/Users/{public}").status_code == 204
    assert house.sql("select login, full_name, language, disabled_at from staff where id = $1", staff)[0] == before
    roles = house.sql("select role from staff_grant where staff_id = $1 and ends_at > now()", staff)
    assert [row["role"] for row in roles] == ["birge-pupil"]


@pytest.mark.parametrize("name", ["userName", "externalId", "displayName"])
def test_an_iin_is_taken_for_nothing(house: House, system: System, name: str) -> None:
    """As others' identity systems like to send it: it would stand in lists, in the trail and in addresses (SAFETY P5)."""
    for written in (IIN, f"{IIN[:6]} {IIN[6:]}") if name != "userName" else (IIN,):
        answer = system.ask("POST", "/Users", user(login()) | {name: written})
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
        assert IIN not in answer.text
    assert house.sql("select 1 from audit where after::text like $1", f"%{IIN}%") == []


FILTERS = [
    'externalId eq "\\u0000"',
    'externalId eq "\\ud800"',
    'roles.value eq "\\u0000"',
    'meta.created gt "0001-01-01T00:00:00+14:00"',
    "not (" * 3000 + "active pr" + ")" * 3000,
    " or ".join(["active pr"] * 31),
    " or ".join(['userName eq "x"'] * 31),
    "password pr",
    'password_hash sw "$argon"',
    "userName eq 1",
    "id eq (select 1)",
]


@pytest.mark.parametrize("wanted", FILTERS)
def test_a_filter_asks_for_nothing_else(system: System, wanted: str) -> None:
    """By address and by body alike: refused in the protocol's words."""
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": wanted}
    for answer in (
        system.ask("GET", f"/Users?filter={quote(wanted)}"),
        system.ask("POST", "/Users/.search", body),
    ):
        assert (answer.status_code, answer.json()["schemas"]) == (400, ERROR), answer.text


@pytest.mark.parametrize("query", ["startIndex=99999999999999999999", "startIndex=-7", "count=-5", "count=99999999999"])
def test_a_page_beyond_everything_is_an_empty_one(system: System, query: str) -> None:
    assert system.ask("GET", f"/Users?{query}").status_code == 200


def test_text_in_a_filter_is_text(house: House, system: System) -> None:
    """A quotation mark, a percent sign, a statement."""
    taker(house)
    for text in ("'; drop table staff;--", "%", "' or 1=1 --", "${1}"):
        found = system.ask("GET", "/Users?filter=" + quote(f'name.familyName co "{text}"'))
        assert (found.status_code, found.json()["totalResults"]) == (200, 0), text


CHANGES: list[dict[str, Any]] = [
    {"op": "replace", "path": "id", "value": "x"},
    {"op": "replace", "path": "meta.created", "value": "2001-01-01T00:00:00Z"},
    {"op": "add", "path": "roles", "value": [{"value": "super-admin"}]},
    {"op": "add", "path": "roles", "value": [{"value": "qabilet-coordinator"}]},
    {"op": "add", "path": 'roles[value eq "x"].value', "value": "super-admin"},
    {"op": "replace", "value": {"roles": [{"value": "system-admin"}]}},
    {"op": "replace", "path": "__class__", "value": "x"},
    {"op": "replace", "path": f"{SCHOOL}:schoolCode", "value": "no-such"},
    {"op": "replace", "path": "externalId", "value": "a\u0000"},
    {"op": "replace", "path": "userName", "value": {"a": 1}},
    {"op": "replace", "path": "(" * 20000, "value": 1},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: str(change)[:60])
def test_a_path_leads_nowhere_else(house: House, system: System, change: dict[str, Any]) -> None:
    """Not to what is ours, not to a role of another kind; and half of a request is not done."""
    made = system.make(login())
    first = {"op": "replace", "path": "displayName", "value": "Жарты жол"}
    answer = system.ask("PATCH", f"/Users/{made['id']}", {"schemas": [PATCH], "Operations": [first, change]})
    assert answer.status_code in {400, 403}, answer.text
    assert answer.json()["schemas"] == ERROR
    assert "displayName" not in system.ask("GET", f"/Users/{made['id']}").json()
    assert (
        house.sql(
            "select 1 from staff_grant g join staff s on s.id = g.staff_id where s.public_id = $1::uuid", made["id"]
        )
        == []
    )


def test_groups_and_foreign_attributes_raise_nobody(house: House, system: System) -> None:
    """Ignored, as are an e-mail and a password that come along: a machine proves no address."""
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    made = system.make(
        login(),
        groups=[{"value": "super-admin"}],
        emails=[{"value": "boss@elumiti.kz", "primary": True}],
        password="let me in, please",
        entitlements=[{"value": "super-admin"}],
        isPrivileged=True,
        **{enterprise: {"manager": {"value": "x"}}},
    )
    row = house.sql("select id, email, password_hash from staff where public_id = $1::uuid", made["id"])[0]
    assert (row["email"], row["password_hash"]) == (None, "")
    assert house.sql("select 1 from staff_grant where staff_id = $1", row["id"]) == []
    assert system.ask("POST", "/Groups", {"displayName": "super-admin"}).status_code == 404
    assert system.ask("POST", "/Bulk", {"Operations": []}).status_code == 404


def test_another_projects_pupils_are_not_there(house: House, join: Callable[..., System]) -> None:
    """Not listed, found, changed or told apart from nobody; a child's facts are in no answer."""
    system = join(project="birge-oqy", roles=("birge-pupil",))
    staff, public = taker(house)
    for method, body in (
        ("GET", None),
        ("PATCH", replace("active", value=False)),
        ("DELETE", None),
        ("PUT", user("x-y")),
    ):
        there = system.ask(method, f"/Users/{public}", body)
        nobody = system.ask(method, "/Users/00000000-0000-4000-8000-000000000000", body)
        assert (there.status_code, there.text) == (404, nobody.text)
    assert shut(house, staff) == 0
    keys = {key for one in join("qabilet").ask("GET", "/Users").json()["Resources"] for key in one}
    assert keys <= {
        *("schemas", "id", "externalId", "userName", "name", "displayName", "preferredLanguage", "active"),
        *("roles", "meta", SCHOOL),
    }


def test_a_stopped_system_reads_nothing_either(house: House, system: System) -> None:
    house.sql("update machine_client set stopped_at = now(), stopped_why = 'person' where id = $1", system.id)
    for path in ("/Users", "/Schemas", "/ServiceProviderConfig"):
        assert system.ask("GET", path).status_code == 403
    house.sql(
        "update machine_client set stopped_at = null, stopped_why = '', token_ends_at = now() where id = $1", system.id
    )
    assert system.ask("GET", "/Users").status_code == 401


def test_a_body_without_an_end(system: System) -> None:
    """Refused by its size, in the protocol's words."""
    body = {"schemas": [USER], "userName": login(), "displayName": "x" * 300_000}
    answer = system.ask("POST", "/Users", body, **{"content-type": SCIM})
    assert answer.status_code in {400, 413}
    assert json.loads(answer.text)["schemas"] == ERROR
