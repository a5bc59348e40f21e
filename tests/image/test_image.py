"""The image that is deployed, with each process as `compose.yaml` starts it: `make image-test`.

A process is given the variables that `compose.yaml` names and no others, so what is forgotten there fails here. It runs
as the image's own user, against the tests' servers on this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml  # PyYAML comes with yamllint

from infra.local import environment
from infra.parts.unused import unused_ports
from tests.infra.test_deploy import DEPLOY, PROCESS_OF
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from infra.parts.supervisor import Stack

pytestmark = [pytest.mark.image, pytest.mark.timeout(180)]
IMAGE = os.environ.get("ELUMITI_IMAGE", "localhost/elumiti:test")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
# Where those listen that are not told by a word of their command.
PORTS = {"proctoring": "ELUMITI_LOOK_PORT", "live": "ELUMITI_LIVE_PORT"}
ALIVE_S = 5.0


def buildah(*words: str) -> str:
    """Its output; what it says in vain is the failure."""
    done = subprocess.run(["buildah", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Container:
    """A container of the image; `run` is a command in it."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self.process: asyncio.subprocess.Process | None = None

    async def run(self, environ: dict[str, str], words: list[str]) -> None:
        """Start it, with these variables and the image's."""
        given = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environ.items())
        script = self.log.with_suffix(".sh")
        # By a file: what others see in the list of processes is no secret.
        script.write_text(f"{given}exec {shlex.join(words)}\n")
        buildah("copy", "--quiet", "--chmod", "0444", self.name, str(script), "/run.sh")
        with self.log.open("wb") as output:
            self.process = await asyncio.create_subprocess_exec(
                *("buildah", "run", "--network", "host", self.name, "--", "sh", "/run.sh"), stdout=output, stderr=output
            )

    async def stop(self) -> None:
        """Ask it to stop, as a supervisor does."""
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), 20)
        buildah("rm", self.name)


@pytest.fixture
async def container(tmp_path: Path) -> AsyncIterator[Container]:
    """A fresh one."""
    one = Container(buildah("from", IMAGE), tmp_path / "said.log")
    yield one
    await one.stop()


def given(stack: Stack, service: str) -> dict[str, str]:
    """The variables that the compose file names, as this machine's servers want them; its own words where it has some."""
    here = environment(stack.home, PROCESS_OF[service])
    named: dict[str, str] = SERVICES[service]["environment"]
    plain = {name: value for name, value in named.items() if "${" not in value and "://" not in value}
    return {name: here[name] for name in named if name in here} | plain


@pytest.mark.parametrize("service", sorted(PROCESS_OF))
async def test_a_process_of_the_image_serves(stack: Stack, container: Container, service: str) -> None:
    (port,) = unused_ports(1)
    environ = given(stack, service)
    words = list(SERVICES[service]["command"])
    if words[1] == "serve":
        words += ["--port", str(port)]
    elif service in PORTS:
        environ[PORTS[service]] = str(port)
    await container.run(environ, words)
    if words[1] == "serve" or service in PORTS:
        async with httpx.AsyncClient(verify=False) as client:

            async def ready() -> None:
                try:
                    answer = await client.get(f"http://127.0.0.1:{port}/ready")
                except httpx.HTTPError as error:
                    raise AssertionError(container.log.read_text()) from error
                assert answer.status_code == 200, answer.text

            await eventually(ready, limit_s=60)
    else:
        await asyncio.sleep(ALIVE_S)
    assert container.process is not None
    assert container.process.returncode is None, container.log.read_text()
    assert "Traceback" not in container.log.read_text()


@pytest.mark.parametrize("words", [["elumiti", "--help"], ["elumiti", "plan", "--candidates", "300000"]])
async def test_what_needs_no_server_works_in_the_image(container: Container, words: list[str]) -> None:
    await container.run({}, words)
    assert container.process is not None
    assert await container.process.wait() == 0, container.log.read_text()


async def test_nobody_in_the_image_can_change_what_runs(container: Container) -> None:
    await container.run({}, ["sh", "-c", "id -u; touch /app/x /run.sh || echo kept"])
    assert container.process is not None
    await container.process.wait()
    assert container.log.read_text().split("\n")[0] == "10001"
    assert "kept" in container.log.read_text()
