"""`elumiti doctor`: all well on a healthy installation; what is wrong gets one line with its remedy, and no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
import redis
from nacl.public import PrivateKey, SealedBox

from infra import doctor
from infra.local import environment
from infra.parts import process
from infra.settings import PROCESSES
from tests.infra.conftest import elumiti

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.support.loop import Loop

WORD = "kept-to-ourselves"
CLOSED = {
    "ELUMITI_DATABASE_URL": f"postgresql://elumiti_engine:{WORD}@127.0.0.1:1/elumiti",
    "ELUMITI_VALKEY_URL": f"redis://:{WORD}@127.0.0.1:1/0",
    "ELUMITI_OBJECTS": json.dumps({"url": "http://127.0.0.1:1", "access_key": "elumiti", "secret_key": WORD}),
}
# Passwords with an @ or a colon that nobody escaped are the usual cause: the parser's words would repeat them.
UNREADABLE = {
    "ELUMITI_DATABASE_URL": f"postgresql://elumiti_engine:kept:{WORD}@127.0.0.1:{WORD}/elumiti",
    "ELUMITI_VALKEY_URL": f"valkey-host:{WORD}",
    "ELUMITI_OBJECTS": json.dumps({"url": f"127.0.0.1:{WORD}", "access_key": "elumiti", "secret_key": WORD}),
}


def lines(stack: Stack, environ: dict[str, str], code: int) -> tuple[dict[str, str], dict[str, str]]:
    """What is ok and what is wrong, by what the line is about; never a traceback, never a secret."""
    done = elumiti("doctor", environ=environ)
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert not done.stderr
    assert WORD not in said
    secrets = json.loads((stack.home.folder / "secrets.json").read_text())
    for value in (*secrets.pop("role_passwords").values(), *secrets.pop("token_keys").values(), *secrets.values()):
        assert not isinstance(value, str) or value == "elumiti" or value not in said
    found = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line.startswith(("ok ", "WRONG "))]
    assert found
    ok, wrong = ({text[:18].strip(): text for mark, text in found if mark == kind} for kind in ("ok", "WRONG"))
    return ok, wrong


def test_on_a_healthy_installation_every_line_is_ok(whole: Stack) -> None:
    ok, wrong = lines(whole, {"ELUMITI_HOME": str(whole.home.folder)}, 0)
    assert not wrong
    assert {"schema", "valkey eviction", "object store", "form keys", "flusher", "engine", "mail", "sms"} <= ok.keys()


@pytest.mark.parametrize(("kernel", "hint"), [("1\n", True), ("0\n", False), (None, False)])
async def test_it_says_when_the_kernel_does_not_hear_of_nice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: str | None, hint: bool
) -> None:
    setting = tmp_path / "sched_autogroup_enabled"
    if kernel is not None:
        setting.write_text(kernel)
    monkeypatch.setattr(process, "AUTOGROUP", setting)
    monkeypatch.setenv("ELUMITI_HOME", str(tmp_path / "none"))
    (found,) = [finding async for finding in doctor.findings() if finding.about == "processor"]
    assert ("kernel.sched_autogroup_enabled=0" in found.text) is hint
    # It is no fault: containers and quiet machines share well as they are.
    assert found.remedy is None


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_s_own_environment_is_enough(whole: Stack, process: str) -> None:
    """On a machine of a larger installation there is no home folder, and no other process's settings."""
    _, wrong = lines(whole, environment(whole.home, process) | {"ELUMITI_HOME": "/nonexistent/home"}, 0)
    assert not wrong


def test_without_an_installation_it_says_how_to_begin(whole: Stack, tmp_path: Path) -> None:
    _, wrong = lines(whole, {"ELUMITI_HOME": str(tmp_path)}, 1)
    assert "`elumiti up`" in wrong["settings"]


def test_a_process_whose_settings_are_not_whole_is_told_which_is_missing(whole: Stack) -> None:
    given = environment(whole.home, "portal")
    del given["ELUMITI_CSRF_KEY"]
    _, wrong = lines(whole, given, 1)
    assert "ELUMITI_CSRF_KEY is not set" in wrong["settings portal"]
    _, wrong = lines(whole, environment(whole.home, "flusher") | {"ELUMITI_FLUSH_EVRY_MS": "5"}, 1)
    assert any("nothing here reads ELUMITI_FLUSH_EVRY_MS" in text for text in wrong.values())


def test_servers_that_are_away_are_each_named_with_a_remedy(whole: Stack) -> None:
    _, wrong = lines(whole, environment(whole.home, "engine") | CLOSED, 1)
    assert "127.0.0.1:1 is not reachable" in wrong["postgres engine"]
    assert "mend ELUMITI_DATABASE_URL" in wrong["postgres engine"]
    assert "mend ELUMITI_VALKEY_URL" in wrong["valkey"]
    assert "mend ELUMITI_OBJECTS" in wrong["object store"]


def test_an_address_that_cannot_be_read_is_wrong_and_not_repeated(whole: Stack) -> None:
    _, wrong = lines(whole, environment(whole.home, "engine") | UNREADABLE, 1)
    assert "cannot be read as an address" in wrong["postgres engine"]
    assert "redis://:PASSWORD@HOST:PORT/0" in wrong["valkey"]
    assert "cannot be read as an address" in wrong["object store"]


def test_a_wrong_password_is_called_a_wrong_password(whole: Stack) -> None:
    ports = whole.home.ports
    given = {
        "ELUMITI_DATABASE_URL": f"postgresql://elumiti_engine:{WORD}@127.0.0.1:{ports.postgres}/elumiti",
        "ELUMITI_VALKEY_URL": f"redis://:{WORD}@127.0.0.1:{ports.valkey}/0",
        "ELUMITI_OBJECTS": json.dumps(
            {"url": f"http://127.0.0.1:{ports.objects}", "access_key": "elumiti", "secret_key": WORD}
        ),
    }
    _, wrong = lines(whole, environment(whole.home, "engine") | given, 1)
    assert "refuses the password. Set the roles' passwords anew" in wrong["postgres engine"]
    assert "refuses the password. Put Valkey's own password" in wrong["valkey"]
    assert "refuses our keys" in wrong["object store"]


def test_a_valkey_that_would_drop_answers_is_wrong(whole: Stack) -> None:
    client = redis.Redis(port=whole.home.ports.valkey, password=whole.secrets.valkey_password)
    try:
        client.config_set("maxmemory-policy", "allkeys-lru")
        _, wrong = lines(whole, environment(whole.home, "flusher"), 1)
        assert "Set maxmemory-policy noeviction" in wrong["valkey eviction"]
    finally:
        client.config_set("maxmemory-policy", "noeviction")
        client.close()


def test_a_form_sealed_to_another_release_key_is_named(whole: Stack, loop: Loop) -> None:
    owner = whole.owner_url
    form = loop.run(_seal_elsewhere(owner))
    try:
        _, wrong = lines(whole, environment(whole.home, "engine"), 1)
        assert f"forms {form} are sealed to another release key. Give the engine that key" in wrong["form keys"]
    finally:
        loop.run(_run(owner, "delete from form_key"))


def test_a_release_key_that_is_no_key_is_wrong(whole: Stack) -> None:
    given = environment(whole.home, "engine") | {"ELUMITI_RELEASE_PRIVATE_KEY": "AAAA"}
    _, wrong = lines(whole, given, 1)
    assert "32 bytes in base64url" in wrong["form keys"]


def test_secrets_that_others_can_read_are_wrong(whole: Stack) -> None:
    path = whole.home.folder / "secrets.json"
    path.chmod(0o644)
    try:
        _, wrong = lines(whole, {"ELUMITI_HOME": str(whole.home.folder)}, 1)
        assert f"chmod 600 {path}" in wrong["secrets"]
    finally:
        path.chmod(0o600)


async def _seal_elsewhere(url: str) -> int:
    """A form whose key only a stranger can open."""
    db = await asyncpg.connect(url)
    try:
        test = await db.fetchval("insert into test (code, title) values ('elsewhere', '{}') returning id")
        form = await db.fetchval("insert into form (test_id, name) values ($1, 'elsewhere') returning id", test)
        sealed = SealedBox(PrivateKey.generate().public_key).encrypt(bytes(32))
        insert = "insert into form_key (form_id, section, language, sealed) values ($1, 1, 'kk', $2)"
        await db.execute(insert, form, sealed)
    finally:
        await db.close()
    return form


async def _run(url: str, statement: str) -> None:
    db = await asyncpg.connect(url)
    try:
        await db.execute(statement)
    finally:
        await db.close()
