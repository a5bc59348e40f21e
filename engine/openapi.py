"""GET /v1/openapi.json: docs/protocol.md for machines (OpenAPI 3.1).

Schemas are made by msgspec from the structs that read and write the wire; problems come from `engine.problems.TEXTS`.
A law test holds routes, problem codes, docs/protocol.md and this document together, and sends each example request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from engine import openapi_examples as examples
from engine import protocol
from engine.bundles.manifest import Manifest
from engine.problems import TEXTS
from engine.protocol import KINDS, MAX_BODY_BYTES, MAX_EVENTS, MAX_VALUE_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

STRUCTS = (
    *(protocol.SignIn, protocol.SignedIn, protocol.KeyReply, protocol.Save, protocol.SaveReply),
    *(protocol.DeviceBody, protocol.Resumed, protocol.Have, Manifest),
)
# What any request may meet, and what any request with a body may.
ANYWHERE = ("internal", "try-later")
WITH_BODY = ("body-invalid", "body-truncated", "too-deep", "body-slow", "body-too-large", "encoding-refused")
# Not of one route: an address that is none, a method that an address does not take.
ELSEWHERE = ("not-found", "method-not-allowed")
# Data fields that a problem carries beyond RFC 9457's.
DATA: dict[str, Json] = {
    "body-invalid": {"field": "$.month", "reason": "Expected `int` <= 12"},
    "body-truncated": {"reason": "Input data was truncated"},
    "body-too-large": {"limit": MAX_BODY_BYTES},
    "seq-not-ascending": {"seq": 12},
    "too-many-events": {"seen": 201},
    "code-malformed": {"field": "code"},
    "birth-mismatch": {"tries_left": 2},
    "code-locked": {"help": examples.example(examples.HELP)},
    "device-held": {"help": examples.example(examples.HELP)},
    "entry-closed": {"help": examples.example(examples.HELP)},
    "waiting-not-open": {"opens_ms": examples.STARTS - 3_600_000, "now_ms": examples.STARTS - 7_200_000},
    "too-early": {"starts_ms": examples.STARTS, "now_ms": examples.STARTS - 12_000},
    "encoding-refused": {"encoding": "gzip"},
    "slow-down": {"limit": "re-entries"},
    "range-invalid": {"size": 2210},
}
RETRY_AFTER = frozenset({"slow-down", "try-later", "too-early", "device-held"})
FOR_EVER = "public, max-age=31536000, immutable"
REFUSED_CODES = [
    "value-invalid",
    "value-too-long",
    "kind-unknown",
    "seq-invalid",
    "anchor-invalid",
    "item-invalid",
    "reports-over",
]
CONTROL_KINDS = ["message", "erratum", "extra", "pause", "resume", "end", "reopen", "stop", "restart"]
DESCRIPTION = f"""\
Everything a pupil's device says to the engine and hears from it; `docs/protocol.md` tells the same with its reasons.

- Times ending in `_ms` are Unix milliseconds of the server's clock. `now` is a signed server time: keep the newest.
- Errors are `application/problem+json` (RFC 9457) with a stable `code`. 429 and 503 carry `Retry-After` in seconds.
- Ignore unknown fields of a reply; unknown fields of a request are refused.
- Limits: body {MAX_BODY_BYTES} bytes, {MAX_EVENTS} events a save, {MAX_VALUE_BYTES} bytes a value, JSON depth 16, \
20 000 events, 8 MB and 10 reports an attempt, 2 re-entries a minute, no compressed bodies, 100 headers, 8 anchors, \
16 open receipts.
"""


def document() -> Json:
    """The whole document, as plain JSON values."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "El Úmiti candidate protocol", "version": "1", "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": {
            "/v1/sign-in": {"post": _sign_in()},
            "/v1/bundles/{name}": {"parameters": [_name()], "get": _bundle("get"), "head": _bundle("head")},
            "/v1/clock": {"get": _clock()},
            "/v1/key": {"post": _key()},
            "/v1/save": {"post": _save()},
            "/v1/finish": {"post": _finish()},
            "/v1/resume": {"post": _resume()},
            "/v1/have": {"post": _have()},
            "/v1/openapi.json": {"get": _openapi()},
            "/v1/status": {"get": _status()},
            "/health": {"get": _health()},
            "/ready": {"get": _ready()},
            "/metrics": {"get": _metrics()},
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of the newest reply. Save, finish and have also take an expired one.",
                }
            },
            "responses": {_camel(code): _problems([code]) for code in ELSEWHERE},
        },
    }


# ---- routes ----


def _sign_in() -> Json:
    codes = ("code-malformed", "code-unknown", "birth-mismatch", "waiting-not-open", "sitting-over", "device-held")
    return _operation(
        "signIn",
        "Code and day and month of birth become a token.",
        "A code opens nothing before the waiting room and nothing but its own attempt. Three wrong birthdays lock it.",
        body=_content("SignIn", {"slip": examples.SIGN_IN}, limit=2048),
        ok=_json("Who it is, the sitting's times, the bundle's name.", "SignedIn", {"before T0": examples.SIGNED_IN}),
        problems=(*WITH_BODY, *codes, "code-locked", "slow-down"),
        token="optional",  # noqa: S106
    )


def _clock() -> Json:
    schema = {
        "type": "object",
        "required": ["now_ms", "now"],
        "properties": {"now_ms": {"type": "integer"}, "now": {"type": "string"}},
    }
    return _operation(
        "clock",
        "The server's time, signed.",
        "Ask a few times and take the sample with the shortest round trip. A token makes it the sitting's time.",
        ok=_plain("The time.", schema, {"now": examples.CLOCK}),
        token="optional",  # noqa: S106 (not a password)
    )


def _key() -> Json:
    return _operation(
        "key",
        "The form's keys and the attempt's seed, from T0 on.",
        "The first release is the start, for ever. Wait a random share of `spread_s` after T0 before asking.",
        ok=_json("Keys by section/language, base64url of 32 bytes.", "KeyReply", {"at T0": examples.KEYS}),
        problems=("token-rejected", "too-early", "entry-closed", "sitting-over"),
        token="required",  # noqa: S106
    )


def _save() -> Json:
    replies = {"usual": examples.SAVED, "with everything": examples.SAVED_WITH_ALL}
    return _operation(
        "save",
        "Store events; hear what is durable.",
        "200 promises: on disk in the stream. Only `durable` says: in Postgres. Keep every event until then. "
        "An expired token of a kept key is accepted.",
        body=_content("Save", {"three events": examples.SAVE}),
        ok=_json("A receipt, and what became of the open ones.", "SaveReply", replies),
        problems=(*WITH_BODY, *SAVE_PROBLEMS),
        token="required",  # noqa: S106
    )


def _finish() -> Json:
    return _operation(
        "finish",
        "Hand in.",
        "As save; the finish event has the highest seq. `final` comes with a later reply to save, when Postgres holds "
        "every event and the hash agrees.",
        body=_content("Save", {"hand in": examples.FINISH}),
        ok=_json("As of save.", "SaveReply", {"first": examples.FINISHED}),
        problems=(*WITH_BODY, *SAVE_PROBLEMS, "finish-missing"),
        token="required",  # noqa: S106
    )


SAVE_PROBLEMS = ("seq-not-ascending", "too-many-events", "token-rejected", "attempt-foreign", "slow-down")


def _resume() -> Json:
    return _operation(
        "resume",
        "Where the pupil was, on whatever device.",
        "Waits at most 5 s for what is still on its way to Postgres.",
        body=_content("DeviceBody", {"this device": examples.ASK_DEVICE}, limit=2048),
        ok=_json("The answers that stand.", "Resumed", {"after a crash": examples.RESUMED}),
        problems=(*WITH_BODY, "token-rejected", "device-held", "slow-down"),
        token="required",  # noqa: S106
    )


def _have() -> Json:
    return _operation(
        "have",
        "Which seqs of a device Postgres holds.",
        "To be asked when `generation` rises; send what is missing.",
        body=_content("DeviceBody", {"this device": examples.ASK_DEVICE}, limit=2048),
        ok=_json("Closed ranges of seqs.", "Have", {"with a gap": examples.HAVE}),
        problems=(*WITH_BODY, "token-rejected", "slow-down"),
        token="required",  # noqa: S106
    )


def _bundle(method: str) -> Json:
    headers = {
        "Cache-Control": _header(FOR_EVER, "Names are hashes: a file never changes."),
        "ETag": _header(f'"{"77c0" * 16}"', "The name in quotes."),
        "Accept-Ranges": _header("bytes", "One range at a time."),
    }
    ranged = {**headers, "Content-Range": _header("bytes 0-1023/18231", "First and last byte, whole size.")}
    manifest = {"schema": _ref("Manifest"), "examples": {"manifest": {"value": examples.MANIFEST}}}
    noise = {"schema": {"type": "string", "format": "binary"}}
    bodies: Json = {"application/json": manifest, "application/octet-stream": noise}
    whole: Json = {"description": "The manifest (gzip if accepted), or an encrypted file.", "headers": headers}
    part: Json = {"description": "The part asked for.", "headers": ranged}
    if method == "get":
        whole["content"], part["content"] = bodies, {"application/octet-stream": noise}
    made = _operation(
        f"{method}Bundle",
        "The manifest, or a file that it names.",
        "The body's SHA-256 is `name`. Encrypted: 12 bytes nonce, AES-256-GCM ciphertext, 16 bytes tag. Key: at T0.",
        ok=whole,
        problems=("bundle-unknown", "range-invalid"),
    )
    made["responses"]["206"] = part
    made["responses"]["304"] = {"description": "`If-None-Match` names this file.", "headers": headers}
    made["parameters"] = [
        {"name": "Range", "in": "header", "schema": {"type": "string"}, "example": "bytes=0-1023"},
        {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}, "example": f'"{"77c0" * 16}"'},
    ]
    return made


def _name() -> Json:
    schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    return {"name": "name", "in": "path", "required": True, "schema": schema, "example": "77c0" * 16}


def _openapi() -> Json:
    ok = _plain("OpenAPI 3.1.", {"type": "object"}, {})
    return _operation("openapi", "This document.", "Schemas, examples, errors and limits of all routes.", ok=ok)


def _status() -> Json:
    steps = {"type": "object", "additionalProperties": {"type": "boolean"}}
    schema = {
        "type": "object",
        "required": ["now_ms", "steps"],
        "properties": {"now_ms": {"type": "integer"}, "steps": steps},
    }
    ok = _plain("Each step: does it work now?", schema, {"works": examples.STATUS})
    return _operation("status", "What works at this worker.", "For the status page's probes.", ok=ok)


def _health() -> Json:
    made = _operation("health", "The process lives.", "Also while it still reads its tables.", ok=_text("`ok`", "ok"))
    return made | {"responses": {"200": made["responses"]["200"]}}


def _ready() -> Json:
    strings = {"type": "object", "additionalProperties": {"type": "string"}}
    schema = {
        "type": "object",
        "required": ["ready", "reasons", "warnings"],
        "properties": {"ready": {"type": "boolean"}, "reasons": strings, "warnings": strings},
    }
    ok = _plain("Codes, bundles and a stream are there.", schema, {"ready": examples.READY})
    made = _operation("ready", "Can it serve?", "For load balancers: without it, send nobody here.", ok=ok)
    unready = _plain("Not yet, and why; a problem while the tables are still read.", schema, {"away": examples.UNREADY})
    unready["content"] |= made["responses"]["503"]["content"]
    made["responses"]["503"] = unready
    return made


def _metrics() -> Json:
    ok = _text("Prometheus text over all workers of this machine.", "elumiti_engine_workers 2.0\n")
    return _operation(
        "metrics",
        "Figures for the operators.",
        "For the addresses of `metrics_from` only; for others `not-found`.",
        ok=ok,
    )


# ---- pieces ----


def _operation(
    name: str,
    summary: str,
    description: str,
    *,
    ok: Json,
    body: Json | None = None,
    problems: tuple[str, ...] = (),
    token: str = "",
) -> Json:
    responses: Json = {"200": ok}
    by_status: dict[int, list[str]] = {}
    for code in (*problems, *ANYWHERE):
        by_status.setdefault(TEXTS[code][0], []).append(code)
    responses |= {str(status): _problems(codes) for status, codes in sorted(by_status.items())}
    made: Json = {"operationId": name, "summary": summary, "description": description, "responses": responses}
    if body is not None:
        made["requestBody"] = body
    if token:
        made["security"] = [{"token": []}] if token == "required" else [{}, {"token": []}]  # noqa: S105
    return made


def _problems(codes: list[str]) -> Json:
    """One answer for all problems of a status: a code each, with its data."""
    shown = {code: {"summary": TEXTS[code][2], "value": problem_example(code)} for code in codes}
    made: Json = {
        "description": " ".join(f"`{code}`: {TEXTS[code][1]}" for code in codes),
        "headers": _no_store(),
        "content": {"application/problem+json": {"schema": _ref("Problem"), "examples": shown}},
    }
    if RETRY_AFTER & set(codes):
        made["headers"]["Retry-After"] = {
            "description": "Whole seconds; wait that long plus 0–5 s of your own, and keep everything.",
            "schema": {"type": "integer", "minimum": 0},
            "example": 20,
        }
    return made


def problem_example(code: str) -> Json:
    """A problem as it goes over the wire."""
    status, title, detail = TEXTS[code]
    head = {"type": f"https://elumiti.kz/problems/{code}", "title": title, "status": status, "detail": detail}
    return {**head, "code": code, **DATA.get(code, {})}


def _content(schema: str, shown: Mapping[str, msgspec.Struct], limit: int = MAX_BODY_BYTES) -> Json:
    return {
        "required": True,
        "description": f"At most {limit} bytes, UTF-8; longer: 413 `body-too-large`.",
        "content": {"application/json": {"schema": _ref(schema), "examples": _shown(shown)}},
    }


def _json(description: str, schema: str, shown: Mapping[str, msgspec.Struct]) -> Json:
    content = {"application/json": {"schema": _ref(schema), "examples": _shown(shown)}}
    headers = _no_store()
    return {"description": description, "headers": headers, "content": content}


def _plain(description: str, schema: Json, shown: Mapping[str, Json]) -> Json:
    content: Json = {"schema": schema}
    if shown:
        content["examples"] = {_slug(name): {"summary": name, "value": value} for name, value in shown.items()}
    headers = _no_store()
    return {"description": description, "headers": headers, "content": {"application/json": content}}


def _text(description: str, shown: str) -> Json:
    content = {"text/plain": {"schema": {"type": "string"}, "example": shown}}
    return {"description": description, "headers": _no_store(), "content": content}


def _shown(structs: Mapping[str, msgspec.Struct]) -> Json:
    return {_slug(name): {"summary": name, "value": examples.example(struct)} for name, struct in structs.items()}


def _header(value: str, description: str) -> Json:
    return {"description": description, "schema": {"type": "string"}, "example": value}


def _no_store() -> Json:
    return {"Cache-Control": _header("no-store", "Never kept.")}


def _ref(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def _slug(name: str) -> str:
    return name.replace(" ", "-")


def _camel(code: str) -> str:
    return "".join(word.capitalize() for word in code.split("-"))


def _schemas() -> Json:
    _, schemas = msgspec.json.schema_components(STRUCTS, ref_template="#/components/schemas/{name}")
    # Pairs of integers are said in the words that older readers of schemas know too.
    pair = {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "integer"}}
    schemas["Have"]["properties"]["have"]["items"] = pair
    schemas["SaveReply"]["properties"]["missing"]["anyOf"][0]["items"] = pair
    schemas["Save"]["properties"]["events"]["maxItems"] = MAX_EVENTS
    # The engine reads kinds as plain strings, so that an unknown one refuses its own event only.
    schemas["Event"]["properties"]["kind"]["enum"] = list(KINDS)
    schemas["Event"]["properties"]["value"]["description"] = (
        f"By kind, see docs/protocol.md; at most {MAX_VALUE_BYTES} bytes."
    )
    schemas["Refused"]["properties"]["code"]["enum"] = REFUSED_CODES
    schemas["ControlItem"]["properties"]["kind"]["enum"] = CONTROL_KINDS
    schemas["Problem"] = {
        "title": "Problem",
        "description": "RFC 9457, with a stable code and data fields.",
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"enum": list(TEXTS)},
        },
        "additionalProperties": True,
    }
    return schemas
