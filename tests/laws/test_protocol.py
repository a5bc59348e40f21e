"""The candidate protocol: page, OpenAPI document, route table, problem codes and the running engine say the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from engine import protocol
from engine.codes import normalise_code
from engine.limits import REPORTS_OVER
from engine.openapi import document
from engine.problems import TEXTS
from engine.records import read_save
from engine.routes import BUNDLES, ROUTES
from tests.support.pupil import Pupil
from tests.support.sittings import make_sitting
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.parts.supervisor import Stack

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
DOCUMENT = document()
Json = dict[str, Any]


def operations() -> Iterator[tuple[str, str, Json]]:
    """(METHOD, path, operation) of the document."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield method.upper(), path, operation


def problem_codes(operation: Json) -> dict[str, int]:
    """Code → status of all problems of an operation."""
    found: dict[str, int] = {}
    for status, response in operation["responses"].items():
        content = response.get("content", {}).get("application/problem+json", {})
        found |= dict.fromkeys(content.get("examples", {}), int(status))
    return found


def holds(schema: Json, value: object) -> list[str]:
    """What is wrong with a value by a schema of the document."""
    validator = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)


def test_every_route_is_documented_and_nothing_else_is() -> None:
    documented = {(method, path) for method, path, _ in operations()}
    assert documented == set(ROUTES) | {("GET", BUNDLES + "{name}"), ("HEAD", BUNDLES + "{name}")}


def test_every_route_stands_in_the_page() -> None:
    missing = [path for _, path, _ in operations() if path not in PAGE]
    assert not missing


def test_routes_that_ask_for_a_token_say_so() -> None:
    for method, path, operation in operations():
        needs = ROUTES.get((method, path), ("public",))[0] == "token"
        assert (operation.get("security") == [{"token": []}]) == needs, path
        assert ("token-rejected" in problem_codes(operation)) == needs, path


def test_every_problem_code_is_in_the_page_and_in_the_document_with_its_status() -> None:
    told: dict[str, int] = {}
    for _, _, operation in operations():
        told |= problem_codes(operation)
    for response in DOCUMENT["components"]["responses"].values():
        told |= {
            code: shown["value"]["status"]
            for code, shown in response["content"]["application/problem+json"]["examples"].items()
        }
    assert told == {code: status for code, (status, _, _) in TEXTS.items()}
    unexplained = [code for code in TEXTS if f"`{code}`" not in PAGE]
    assert not unexplained, "docs/protocol.md does not name them"


def test_every_refusal_of_an_event_is_in_the_page() -> None:
    source = (Path(protocol.__file__).parent / "records.py").read_text()
    codes = set(re.findall(r'"((?:value|kind|seq|anchor|item)-(?:invalid|unknown|too-long))"', source)) | {REPORTS_OVER}
    assert codes == set(DOCUMENT["components"]["schemas"]["Refused"]["properties"]["code"]["enum"])
    assert not [code for code in codes if f"`{code}`" not in PAGE]


def test_every_kind_of_event_and_of_control_is_in_the_page() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    kinds = [*schemas["Event"]["properties"]["kind"]["enum"], *schemas["ControlItem"]["properties"]["kind"]["enum"]]
    assert not [kind for kind in kinds if f"`{kind}`" not in PAGE]


def test_limits_are_the_code_s() -> None:
    for limit in (protocol.MAX_BODY_BYTES, protocol.MAX_VALUE_BYTES, protocol.MAX_EVENTS):
        assert str(limit) in PAGE.replace(" ", "")
        assert str(limit) in DOCUMENT["info"]["description"]


def test_every_example_has_the_shape_that_stands_beside_it() -> None:
    tried = 0
    for _, path, operation in operations():
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (kind for body in bodies for kind in body.get("content", {}).values()):
            for name, shown in content.get("examples", {}).items():
                assert not holds(content["schema"], shown["value"]), (path, name)
                tried += 1
    assert tried > 40


def test_the_page_s_own_examples_are_right() -> None:
    """The code passes the check that the page explains; the save is one that the engine reads."""
    code = re.search(r'"code": "([0-9A-Z]{12})"', PAGE)
    assert code is not None
    assert normalise_code(code[1]) == code[1]
    save = re.search(r"## POST /v1/save\n```json\n(.*?)```", PAGE, re.DOTALL)
    assert save is not None
    batch, refused = read_save(save[1].encode())
    assert [event.seq for event in batch.events] == [12, 13, 9]
    assert refused == []


@pytest.fixture
async def pupil(stack: Stack, service: str, owner_url: str) -> Pupil:
    """A pupil in a running sitting, known to all workers."""
    scene = await make_sitting(stack, owner_url)
    made = Pupil(service, scene.seats[0])
    await eventually(made.sign_in)
    return made


async def test_the_engine_serves_this_document(service: str) -> None:
    async with httpx.AsyncClient(verify=False) as client:
        assert (await client.get(f"{service}/v1/openapi.json")).json() == DOCUMENT


async def test_each_example_request_is_answered_as_documented(pupil: Pupil, service: str) -> None:
    """Who sends the documented requests, with his own code, device and token, hears the documented replies."""
    own = {"attempt": pupil.attempt, "device": pupil.device}
    slip = {"code": pupil.seat.code, "day": pupil.seat.day, "month": pupil.seat.month}
    tried = 0
    async with httpx.AsyncClient(verify=False, timeout=30) as client:
        for method, path, operation in operations():
            if "{name}" in path:
                continue
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            for shown in (body or {"examples": {"none": {"value": None}}})["examples"].values():
                sent = shown["value"]
                if sent is not None:
                    sent = {name: own.get(name, value) for name, value in sent.items()}
                    sent |= slip if "code" in sent else {}
                headers = {"authorization": f"Bearer {pupil.token}"}
                response = await client.request(method, service + path, json=sent, headers=headers)
                assert response.status_code == 200, (path, response.text)
                documented = operation["responses"]["200"]
                kind = response.headers["content-type"].partition(";")[0]
                for name, header in documented["headers"].items():
                    assert response.headers[name] == header["example"], (path, name)
                if kind == "application/json":
                    assert not holds(documented["content"][kind]["schema"], response.json()), path
                else:
                    assert kind in documented["content"], path
                tried += 1
    assert tried == len(ROUTES)


async def test_a_bundle_is_served_as_documented(pupil: Pupil, service: str) -> None:
    name = (await pupil.sign_in())["manifest"]
    operation = DOCUMENT["paths"][BUNDLES + "{name}"]["get"]
    async with httpx.AsyncClient(verify=False) as client:
        for status, headers in (("200", {}), ("206", {"range": "bytes=0-9"}), ("304", {"if-none-match": f'"{name}"'})):
            response = await client.get(service + BUNDLES + name, headers=headers)
            assert response.status_code == int(status)
            for header in operation["responses"][status]["headers"]:
                assert header in response.headers, (status, header)
            if status == "200":
                assert not holds({"$ref": "#/components/schemas/Manifest"}, response.json())


async def test_every_problem_that_a_stranger_can_meet_has_the_one_shape(pupil: Pupil, service: str) -> None:
    """One error shape everywhere: RFC 9457, no-store, the status of its code."""
    token = {"authorization": f"Bearer {pupil.token}"}
    cases: list[tuple[str, str, dict[str, str], bytes]] = [
        ("POST", "/v1/sign-in", {}, b"{"),
        ("POST", "/v1/sign-in", {}, b'{"code":"000000000000","day":1,"month":1,"device":"' + b"0" * 32 + b'"}'),
        ("POST", "/v1/key", {}, b""),
        ("POST", "/v1/save", token, b"[]"),
        ("POST", "/v1/save", token, b'{"attempt":0,"events":[]}'),
        ("POST", "/v1/finish", token, b'{"attempt":%d,"events":[]}' % pupil.attempt),
        ("POST", "/v1/resume", token, b'{"device":"' + b"0" * 32 + b'"}'),
        ("DELETE", "/v1/save", token, b""),
        ("POST", BUNDLES + "0" * 64, {}, b""),
        ("GET", BUNDLES + "x", {}, b""),
        ("GET", "/nothing", {}, b""),
    ]
    async with httpx.AsyncClient(verify=False) as client:
        for method, path, headers, body in cases:
            response = await client.request(method, service + path, headers=headers, content=body)
            problem = response.json()
            assert not holds({"$ref": "#/components/schemas/Problem"}, problem), path
            assert response.headers["content-type"] == "application/problem+json", path
            assert response.headers["cache-control"] == "no-store", path
            assert problem["status"] == response.status_code == TEXTS[problem["code"]][0], path
            assert problem["type"].endswith("/" + problem["code"]), path
