"""Settings: each process gets its own secrets and no others (SAFETY D5); both pages say exactly what the code reads."""

from __future__ import annotations

import re
import sys

import msgspec
import pytest

from infra import settings_page
from infra.local import environment
from infra.settings import PREFIX, PROCESSES, SettingsError, read
from infra.settings_page import PAGE, doc, page

SECRETS_PAGE = PAGE.with_name("secrets.md")
SECRET = re.compile(r"(_key|_keys|_kek|_pepper|_passwords|_url|objects)$")
# Addresses that carry no password, and the public halves of pairs.
PLAIN = {"release_public_key", "rescue_public_key", "token_check_url", "player_url", "portal_url", "status_url"}
PLAIN |= {"pictures_url", "proctoring_internal_url", "live_url"}
# What each process must never be able to read, whatever else is added to it.
IIN = {"iin_key", "iin_index_key"}
# Who can show a child's picture is one process, and it can do nothing else.
OTHERS_THAN_PROCTORING = {"picture_kek"}
NEVER = {
    "engine": IIN
    | {"score_key", "receipt_key", "csrf_key", "rescue_private_key", "owner_database_url", "role_passwords"},
    "flusher": IIN
    | {
        "score_key",
        "token_keys",
        "time_key",
        "order_key",
        "code_pepper",
        "release_private_key",
        "rescue_private_key",
    },
    "portal": {
        "score_key",
        "token_keys",
        "time_key",
        "order_key",
        "release_private_key",
        "owner_database_url",
        "role_passwords",
    },
    "scoring": IIN
    | {"token_keys", "code_pepper", "release_private_key", "receipt_key", "order_key", "rescue_private_key"},
    "release": IIN
    | {
        *("score_key", "token_keys", "time_key", "order_key", "code_pepper", "receipt_key", "csrf_key"),
        *("rescue_private_key", "owner_database_url", "role_passwords", "valkey_url", "objects"),
    },
    "pack": IIN | {"score_key", "release_private_key", "token_keys", "valkey_url", "order_key"},
    "proctoring": IIN
    | {
        *("score_key", "token_keys", "time_key", "order_key", "code_pepper", "receipt_key", "csrf_key", "link_key"),
        *("release_private_key", "rescue_private_key", "owner_database_url", "role_passwords", "valkey_url"),
    },
    "live": IIN
    | {
        *("score_key", "token_keys", "time_key", "order_key", "code_pepper", "receipt_key", "csrf_key", "link_key"),
        *("release_private_key", "rescue_private_key", "owner_database_url", "role_passwords", "valkey_url"),
        *("picture_token_keys", "look_key", "objects"),
    },
    "trace": IIN | {"score_key", "release_private_key", "token_keys", "code_pepper", "valkey_url", "objects"},
}


def fields(process: str) -> set[str]:
    return set(PROCESSES[process].__struct_fields__)


def secrets_of(process: str) -> set[str]:
    return {name for name in fields(process) if SECRET.search(name) and name not in PLAIN}


@pytest.mark.parametrize("process", NEVER)
def test_a_process_cannot_load_another_s_secrets(process: str) -> None:
    assert not fields(process) & NEVER[process]
    assert process == "proctoring" or not fields(process) & OTHERS_THAN_PROCTORING


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_on_one_machine_gets_its_own_variables_only(process: str, stack: object) -> None:
    given = environment(stack.home, process)  # type: ignore[attr-defined]
    assert {name.removeprefix(PREFIX).lower() for name in given} <= fields(process)
    read(PROCESSES[process], given)


@pytest.mark.parametrize("process", PROCESSES)
def test_every_setting_says_what_it_is_for(process: str) -> None:
    assert all(doc(field) for field in msgspec.structs.fields(PROCESSES[process]))


def test_a_missing_or_misspelt_setting_is_one_line_with_its_name(stack: object) -> None:
    given = environment(stack.home, "engine")  # type: ignore[attr-defined]
    del given["ELUMITI_TOKEN_KEYS"]
    with pytest.raises(SettingsError, match="ELUMITI_TOKEN_KEYS is not set"):
        read(PROCESSES["engine"], given)
    with pytest.raises(SettingsError, match="ELUMITI_NEXT_SAVE_S must be JSON"):
        read(PROCESSES["engine"], given | {"ELUMITI_TOKEN_KEYS": "{}", "ELUMITI_NEXT_SAVE_S": "often"})


def test_the_settings_page_is_current() -> None:
    assert PAGE.read_text() == page(), f"run: {sys.executable} -m {settings_page.__name__}"


def test_the_table_of_secrets_is_what_the_processes_read() -> None:
    """Each secret setting stands in the page with exactly the processes whose struct has it."""
    told: dict[str, set[str]] = {}
    for line in SECRETS_PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 6 and cells[1].startswith("`"):
            assert all(cells), line
            for name in re.findall(r"`(\w+)`", cells[1]):
                told[name] = set(cells[2].split(", "))
    known: dict[str, set[str]] = {}
    for process in PROCESSES:
        for name in secrets_of(process):
            known.setdefault(name, set()).add(process)
    assert told == known
