"""SCIM 2.0: others' tester finds nothing against us, and what a system may not do it can't."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest
from scim2_client.client import BaseSyncSCIMClient
from scim2_tester import Status, check_server

from tests.portal.machines.conftest import PATCH, SCHOOL, USER, System, user

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.portal.conftest import House, Place


# Taken away, these two have a value all the same: a login always has a language and is open or shut.
DEFAULTS = {f"PATCH modify() did not remove attribute '{name}'" for name in ("preferredLanguage", "active")}


def login() -> str:
    """One that nobody has."""
    return f"s-{secrets.token_hex(5)}"


def replace(path: str, value: object) -> dict[str, Any]:
    """A PATCH of one attribute."""
    return {"schemas": [PATCH], "Operations": [{"op": "replace", "path": path, "value": value}]}


class Client(BaseSyncSCIMClient):
    """The tester's client over our way of asking."""

    def __init__(self, system: System, *, schools: list[str], **more: Any) -> None:
        super().__init__(**more)
        self.system, self.schools = system, schools

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return not endpoint.startswith("http") or endpoint.startswith("http://portal.test/scim/v2")

    def _parse_json(self, response: Any) -> Any:
        body = response.json()
        for schema in [body, *body.get("Resources", [])]:
            for attribute in schema.get("attributes", []) if schema.get("id") == SCHOOL else []:
                attribute["canonicalValues"] = self.schools
        return body

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:
        """One request."""
        headers = {name.lower(): value for name, value in (more.get("headers") or {}).items()}
        path = url.removeprefix("http://portal.test/scim/v2")
        params = more.get("params")
        if params:
            from urllib.parse import urlencode

            path += "?" + urlencode(params, doseq=True)
        return self.system.ask(method, path, more.get("json"), **headers)


def test_others_tester_of_the_protocol_finds_nothing(join: Callable[..., System], place: Place) -> None:
    """scim2-tester: discovery, making, reading, replacing, patching, deleting, unknown addresses.

    It draws values at random; which schools there are it is told in the schema.
    """
    system = join(roles=("birge-pupil",))
    results = check_server(Client(system, schools=place.codes))
    good = {Status.SUCCESS, Status.SKIPPED, Status.ACCEPTABLE}
    wrong = [(one.title, one.reason) for one in results if one.status not in good and one.reason not in DEFAULTS]
    assert wrong == [], "\n".join(map(str, wrong))
    assert len([one for one in results if one.status is Status.SUCCESS]) > 20


def test_a_login_is_made_found_changed_and_shut(system: System, house: House, place: Place) -> None:
    """The whole life of one, as an identity system does it."""
    name = login()
    made = system.make(
        name,
        externalId="k-77",
        roles=[{"value": "birge-teacher"}],
        schemas=[USER, SCHOOL],
        **{SCHOOL: {"schoolCode": place.codes[0]}},
    )
    assert made["roles"] == [{"value": "birge-teacher"}]
    assert made[SCHOOL] == {"schoolCode": place.codes[0]}
    assert "displayName" not in made
    row = house.sql(
        "select g.school_id, g.project, g.ends_at, s.password_hash from staff s join staff_grant g on g.staff_id = s.id where s.login = $1",
        name,
    )[0]
    assert (row["school_id"], row["project"], row["password_hash"]) == (place.schools[0], "birge-oqy", "")

    found = system.ask("GET", f'/Users?filter=userName eq "{name.upper()}"').json()
    assert [one["id"] for one in found["Resources"]] == [made["id"]]
    assert system.ask("GET", '/Users?filter=externalId eq "k-77" and active eq true').json()["totalResults"] == 1
    assert system.ask("GET", '/Users?filter=externalId eq "K-77"').json()["totalResults"] == 0

    changed = system.ask("PATCH", f"/Users/{made['id']}", replace("name.familyName", "Сейтқали"))
    assert changed.status_code == 200, changed.text
    assert house.sql("select full_name from staff where login = $1", name)[0]["full_name"] == "Сейтқали Мадина"
    shut = system.ask("PATCH", f"/Users/{made['id']}", replace("active", value=False))
    assert shut.json()["active"] is False
    assert system.ask("DELETE", f"/Users/{made['id']}").status_code == 204
    assert system.ask("GET", f"/Users/{made['id']}").status_code == 404
    assert (
        house.sql(
            "select count(*) from staff_grant g join staff s on s.id = g.staff_id where s.login = $1 and g.ends_at > now()",
            name,
        )[0][0]
        == 0
    )
    acts = house.sql(
        "select act from audit where object_kind = 'staff' and object_id = (select id::text from staff where login = $1) order by id",
        name,
    )
    assert [one["act"] for one in acts] == [
        "machine.user.made",
        "machine.user.changed",
        "machine.user.changed",
        "machine.user.closed",
    ]
    again = system.make(name)
    assert again["active"] is True


def test_a_login_without_a_password_lets_nobody_in(system: System, house: House) -> None:
    """Neither an empty one nor what is stored opens it."""
    name = login()
    system.make(name)
    for password in ("", " ", "nobody"):
        assert house.visitor().post("/sign-in", {"login": name, "password": password}).status_code in {401, 422}


def test_privileged_logins_are_not_there_for_a_system(system: System, house: House) -> None:
    """Not listed, not found, not changed, and their name is only taken (SAFETY P4)."""
    admin = house.person("test-administrator", project="birge-oqy")
    row = house.sql("select id, public_id from staff where login = $1", admin)[0]
    assert system.ask("GET", f'/Users?filter=userName eq "{admin}"').json()["totalResults"] == 0
    for method, body in [
        ("GET", None),
        ("PATCH", replace("active", value=False)),
        ("DELETE", None),
        ("PUT", user(admin)),
    ]:
        assert system.ask(method, f"/Users/{row['public_id']}", body).status_code == 404
    assert system.ask("POST", "/Users", user(admin)).status_code == 409
    assert house.sql("select disabled_at from staff where id = $1", row["id"])[0]["disabled_at"] is None


def test_a_system_gives_only_the_roles_that_it_may(join: Callable[..., System], house: House, place: Place) -> None:
    """No privileged one even where somebody put it into the system's list; none of another project; no country."""
    system = join(roles=("birge-pupil", "birge-teacher", "birge-coordinator", "super-admin", "qabilet-test-taker"))
    at = {"schemas": [USER, SCHOOL], SCHOOL: {"schoolCode": place.codes[0]}}
    for role in ("birge-coordinator", "super-admin", "qabilet-test-taker", "proctor", "no-such"):
        answer = system.ask("POST", "/Users", user(login(), roles=[{"value": role}], **at))
        assert answer.status_code == 403, (role, answer.text)
        assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    answer = system.ask("POST", "/Users", user(login(), roles=[{"value": "birge-teacher"}]))
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    made = system.make(login(), roles=[{"value": "birge-pupil"}])
    # A person gives him more: from then on he is out of the system's reach.
    staff = house.sql("select id from staff where public_id = $1::uuid", made["id"])[0]["id"]
    house.sql(
        "insert into staff_grant (staff_id, role, project, ends_at) values ($1, 'birge-coordinator', 'birge-oqy', now() + interval '1 day')",
        staff,
    )
    assert system.ask("PATCH", f"/Users/{made['id']}", replace("active", value=False)).status_code == 404


def test_more_than_one_in_a_hundred_an_hour_stops_it_until_a_person_agrees(
    join: Callable[..., System], house: House
) -> None:
    """The change that goes too far is not done; nothing further is; a keyholder is told and lets it go on."""
    system = join(project="qabilet", roles=("qabilet-test-taker",))
    made = [system.make(login(), roles=[{"value": "qabilet-test-taker"}]) for _ in range(4)]
    house.sql("update machine_user set made_at = now() - interval '2 hours' where client_id = $1", system.id)
    admin = house.worker("system-admin")
    seen = system.ask("GET", "/Users?count=1").json()["totalResults"]
    assert seen < 200, "one change is the hundredth part"
    assert system.ask("PATCH", f"/Users/{made[0]['id']}", replace("active", value=False)).status_code == 200
    assert system.ask("PATCH", f"/Users/{made[0]['id']}", replace("active", value=True)).status_code == 200
    refused = system.ask("PATCH", f"/Users/{made[1]['id']}", replace("active", value=False))
    assert refused.status_code == 403
    assert (
        house.sql("select disabled_at from staff where public_id = $1::uuid", made[1]["id"])[0]["disabled_at"] is None
    )
    assert system.ask("GET", "/Users").status_code == 403
    assert (
        house.sql("select count(*) from audit where act = 'machine.measure.met' and object_id = $1", str(system.id))[0][
            0
        ]
        == 1
    )
    assert "Kundelik" in admin.get("/notices").text
    assert admin.post(f"/machines/{system.id}/free", {"reason": "Мектептер жаңа атауларды тексерді"}).status_code == 303
    assert system.ask("PATCH", f"/Users/{made[1]['id']}", replace("active", value=False)).status_code == 200


def test_versions_keep_two_systems_from_writing_over_each_other(system: System) -> None:
    """If-Match with an old version changes nothing; If-None-Match with the newest sends nothing."""
    made = system.make(login())
    old = made["meta"]["version"]
    assert system.ask("GET", f"/Users/{made['id']}", None, **{"if-none-match": old}).status_code == 304
    assert (
        system.ask("PATCH", f"/Users/{made['id']}", replace("displayName", "Ә. Б."), **{"if-match": old}).status_code
        == 200
    )
    late = system.ask("PATCH", f"/Users/{made['id']}", replace("displayName", "В. Г."), **{"if-match": old})
    assert late.status_code == 412
    assert system.ask("GET", f"/Users/{made['id']}").json()["displayName"] == "Ә. Б."


@pytest.mark.parametrize(
    "query",
    [
        "filter=userName eq",
        'filter=password eq "x"',
        "filter=" + " or ".join(['userName eq "a"'] * 60),
        "filter=meta.created gt 5",
        "startIndex=-1&count=-5",
        "sortBy=nothing",
        'filter=userName eq "\' or 1=1 --"',
        'filter=name[familyName eq "x"]',
    ],
)
def test_what_cannot_be_asked_is_answered_by_the_protocol(system: System, query: str) -> None:
    """400 with a sentence, or an empty list; never a broken answer."""
    answer = system.ask("GET", f"/Users?{query}")
    assert answer.status_code in {200, 400}
    assert answer.headers["content-type"].startswith("application/scim+json")
    assert answer.status_code == 400 or "Resources" in answer.json() or answer.json()["totalResults"] == 0


@pytest.mark.parametrize("token", ["", "x", "elumiti_0000"])
def test_without_its_token_nobody_asks(system: System, token: str) -> None:
    """401 with the way to do it; a person's session opens nothing here."""
    system.token = token
    answer = system.ask("GET", "/Users")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_persons_session_opens_nothing_here(house: House) -> None:
    """Also a super-admin's."""
    assert house.worker("super-admin").get("/scim/v2/Users").status_code == 401


@pytest.mark.parametrize(
    "body", [[], "x", {"schemas": [USER]}, {"schemas": [USER], "userName": "Ж"}, {"userName": "a" * 200}]
)
def test_a_body_that_fits_nothing_is_refused(system: System, body: object) -> None:
    """400 as the protocol says it."""
    answer = system.ask("POST", "/Users", body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
