"""A joined system with its token."""

from __future__ import annotations

import itertools
import secrets
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from portal.core.machines.clients import hash_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.portal.conftest import House

numbers = itertools.count(1)
SCIM = "application/scim+json"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
SCHOOL = "urn:elumiti:scim:schemas:1.0:School"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class System:
    """Speaks SCIM as another system does."""

    def __init__(self, house: House, client_id: int, token: str) -> None:
        self.house, self.id, self.token = house, client_id, token
        number = next(numbers)
        self.address = f"10.44.{number // 250}.{number % 250}"

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """A request to an endpoint."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.house.front, client=(self.address, 1), raise_app_exceptions=False)  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url="http://portal.test/scim/v2") as client:
                known = {"authorization": f"Bearer {self.token}", "accept": SCIM, **headers}
                more: dict[str, Any] = {} if body is None else {"json": body}
                return await client.request(method, path, headers=known, **more)

        return self.house.loop.run(send())

    def make(self, login: str, **more: object) -> dict[str, Any]:
        """A user; what came back."""
        answer = self.ask("POST", "/Users", user(login, **more))
        assert answer.status_code == 201, answer.text
        return answer.json()


def user(login: str, **more: object) -> dict[str, Any]:
    """A user as it is sent."""
    return {
        "schemas": [USER],
        "userName": login,
        "name": {"familyName": "Оспанова", "givenName": "Мадина"},
        "preferredLanguage": "kk",
        **more,
    }


@pytest.fixture
def join(house: House) -> Callable[..., System]:
    """Join a system to a project."""

    def run(project: str = "birge-oqy", roles: tuple[str, ...] = ("birge-pupil", "birge-teacher")) -> System:
        token = secrets.token_urlsafe(24)
        maker = house.sql("select id from staff where login = $1", house.person("system-admin"))[0]["id"]
        made = house.sql(
            """
            insert into machine_client (name, project, roles, token_hash, token_ends_at, made_by)
            values ($1, $2, $3, $4, now() + interval '1 day', $5) returning id
            """,
            *(f"Kundelik {next(numbers)}", project, list(roles), hash_token(token), maker),
        )
        return System(house, made[0]["id"], token)

    return run


@pytest.fixture
def system(join: Callable[..., System]) -> System:
    """One joined system."""
    return join()
