"""Requests made from the OpenAPI document (schemathesis) against the real engine: what the document says is what happens."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.pupil import Pupil
from tests.support.sittings import make_sitting
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from infra.parts.supervisor import Stack

# Not asked: that whatever fits the schema is accepted (a code that nobody has fits it, and so does another's attempt),
# and what is about objects that a client makes and deletes (there are none).
LEFT_OUT = (
    "positive_data_acceptance",
    "use_after_free",
    "ensure_resource_availability",
    "object_level_authorization",
)

# A batch with one event of a wrong shape is 200 with that event under `refused`: it must not hold up the others (rule 7).
CONFIG = "".join(
    f"""
[[operations]]
include-path = "{path}"
checks.negative_data_rejection.enabled = false
"""
    for path in ("/v1/save", "/v1/finish")
)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_engine_does_what_its_document_says(
    stack: Stack, owner_url: str, service: str, tmp_path: Path
) -> None:
    scene = await make_sitting(stack, owner_url)
    pupil = Pupil(service, scene.seats[0])
    await eventually(pupil.sign_in)
    async with httpx.AsyncClient(verify=False) as client:
        told = (await client.get(f"{service}/v1/openapi.json")).json()
    # The document of this one pupil: else every save is another's, and nothing is ever stored.
    schemas = told["components"]["schemas"]
    schemas["Save"]["properties"]["attempt"]["enum"] = [pupil.attempt]
    schemas["DeviceBody"]["properties"]["device"] = {"type": "string", "enum": [pupil.device]}
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(told))
    argv = [
        *[sys.executable, "-m", "schemathesis.cli", "run", str(document), "--url", service],
        *["--header", f"Authorization: Bearer {pupil.token}", "--exclude-checks", ",".join(LEFT_OUT)],
        *["--phases", "examples,coverage", "--seed", "1", "--request-timeout", "60"],
        *["--no-color"],
    ]
    with (tmp_path / "said").open("w+b") as said:
        done = await asyncio.create_subprocess_exec(*argv, cwd=tmp_path, stdout=said, stderr=asyncio.subprocess.STDOUT)
        try:
            code = await done.wait()
        finally:
            # Of a test that was given up nothing goes on asking.
            with contextlib.suppress(ProcessLookupError):
                done.kill()
    text = (tmp_path / "said").read_text()
    assert code == 0, text
    assert "Test cases:" in text
