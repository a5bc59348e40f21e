"""Requests drawn from a document of every route (schemathesis): whatever is sent, no answer of ours is a broken one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import schemathesis

# Read now, in the main thread (tests/conftest.py says why).
import schemathesis.specs.openapi.schemas
from hypothesis import HealthCheck, Phase, given, seed, settings

import portal
from tests.portal.laws.test_matrix import LEFT_OUT, routes

if TYPE_CHECKING:
    from tests.portal.conftest import House, Visitor

HOLE = re.compile(r"\{(\w+):(\w+)\}")
FIELD = re.compile(r'(?:name="([a-z_0-9]+)"|ui\.(?:field|area|select|pick|tick)\("([a-z_0-9]+)")')
HOLES = {
    # Numbers of nothing: rows of other tests are half made (a run without its figures).
    "int": {"type": "integer", "minimum": 10**6, "maximum": 2**70},
    "str": {"type": "string", "minLength": 1},
    "path": {"type": "string", "minLength": 1},
}
ASKED = (
    "q",
    "sort",
    "page",
    "region",
    "district",
    "school",
    "state",
    "kind",
    "next",
    "act",
    "show",
    "which",
    "scope",
    "id",
    "of",
)
# They change the house that the other tests live in (modules switched off), or end the session that asks.
NOT_ASKED = LEFT_OUT | {"/modules", "/see-as", "/see-as/end", "/raise", "/project", "/language/{code:str}"}
# Of each route for each of two roles; drawn the same at every run.
EXAMPLES = 4


def fields() -> list[str]:
    """The names of all fields of all forms."""
    found = {
        name
        for file in Path(portal.__file__).parent.rglob("*.html")
        for pair in FIELD.findall(file.read_text())
        for name in pair
        if name
    }
    return sorted(found - {"csrf"})


def document(house: House) -> dict[str, Any]:
    """Every route with its holes, the common questions, and a form of any of the fields."""
    text = {"type": "string", "maxLength": 200}
    form = {
        "type": "object",
        "properties": dict.fromkeys(fields(), text),
        "additionalProperties": False,
        "maxProperties": 12,
    }
    paths: dict[str, Any] = {}
    for route in routes(house):
        if route.pattern in NOT_ASKED or route.pattern.startswith("/account"):
            continue
        holes = HOLE.findall(route.pattern)
        parameters = [
            *({"name": name, "in": "path", "required": True, "schema": HOLES[kind]} for name, kind in holes),
            *({"name": name, "in": "query", "schema": text} for name in ASKED),
        ]
        operation: dict[str, Any] = {"parameters": parameters, "responses": {"200": {"description": "-"}}}
        if route.method != "GET":
            operation["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": form}}}
        paths.setdefault(HOLE.sub(r"{\1}", route.pattern), {})[route.method.lower()] = operation
    return {"openapi": "3.1.0", "info": {"title": "portal", "version": "1"}, "paths": paths}


@pytest.mark.parametrize("role", ["test-administrator", pytest.param("super-admin", marks=pytest.mark.wide)])
def test_no_request_breaks_a_page(house: House, role: str) -> None:
    """By those who may most; ids of nothing and of something, letters of every kind, forms half filled."""
    visitor = house.worker(role)
    visitor.get("/account")
    broken: list[object] = []
    tried = 0
    for found in schemathesis.openapi.from_dict(document(house)).get_all_operations():
        operation = found.ok()

        @seed(7)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            nonlocal tried
            tried += 1
            answer = _send(visitor, case)
            if answer is not None and answer.status_code >= 500 and answer.status_code != 503:
                broken.append((case.method, case.formatted_path, case.query, case.body, answer.status_code))

        ask()
    assert tried > 500
    assert broken == [], "\n".join(str(one)[:400] for one in broken[:20])


def _send(visitor: Visitor, case: schemathesis.Case) -> httpx.Response | None:
    """As a browser sends it; None: an address that no browser can."""
    params = {name: value for name, value in (case.query or {}).items() if isinstance(value, str)}
    try:
        if case.method.upper() == "GET":
            return visitor.get(case.formatted_path, params=params)
        body = {name: str(value) for name, value in case.body.items()} if isinstance(case.body, dict) else {}
        return visitor.ask(
            case.method.upper(), case.formatted_path, params=params, data={"csrf": _token(visitor), **body}
        )
    except (httpx.InvalidURL, UnicodeEncodeError):
        return None


def _token(visitor: Visitor) -> str:
    """The session's form token."""
    if visitor.token is None:
        visitor.post("/waiver/nothing")
    return visitor.token or ""
