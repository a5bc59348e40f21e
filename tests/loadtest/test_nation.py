"""A small nation, shared by two generators, on the real parts: one report, and a ledger that tells the truth."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import msgspec
import pytest

from infra.errors import PlainError
from infra.local import decode_key, environment
from loadtest.nation import joined
from loadtest.nation.report import write_report
from loadtest.nation.scenario import Nation, Sent
from loadtest.scene import BenchScene, make_scene

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack

NATION = Nation(
    candidates=60,
    minutes=0.15,
    save_every_s=1.5,
    sign_in_s=4,
    spread_s=2,
    hand_in_s=2,
    lost_acks=0.1,
    drops=0.1,
    second_devices=0.1,
    re_entries=0.1,
    connections=20,
    settle_s=60,
)


async def generate(scene: Path, part: str, out: Path) -> str:
    """As a person would, in a process of its own."""
    words = [sys.executable, "-m", "infra", "loadtest", "generate", str(scene), "--part", part, "--out", str(out)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*words, stdout=pipe, stderr=pipe)
    out_text, error = await process.communicate()
    assert process.returncode == 0, error.decode() + out_text.decode()
    return out_text.decode()


@pytest.mark.timeout(240)
async def test_two_generators_make_one_report_whose_ledger_is_true(
    stack: Stack, service: str, owner_url: str, tmp_path: Path
) -> None:
    # Two interpreters start meanwhile, on a busy machine in ten seconds.
    starts_in_s = 30.0
    scene = await make_scene(
        *(owner_url, environment(stack.home, "pack"), decode_key(stack.secrets.code_pepper), NATION.candidates),
        starts_in_s=starts_in_s,
        spread_s=2,
        items=12,
    )
    sent = Sent(nation=NATION, base_url=service, t0_unix_s=time.time() + starts_in_s, scene=scene)
    path = tmp_path / "scene.json"
    path.write_bytes(msgspec.json.encode(sent))
    parts = [tmp_path / "one", tmp_path / "two"]
    told = await asyncio.gather(*(generate(path, f"{number}/2", out) for number, out in enumerate(parts, start=1)))

    result = await asyncio.to_thread(joined.join, joined.load(path), parts, owner_url)
    assert result.ledger.clean, result.ledger.examples
    assert result.ledger.unsealed == 0
    assert result.counts["final receipts"] == NATION.candidates, "".join(told)
    assert result.counts["answers lost on the way"] > 0
    assert result.ledger.acknowledged == result.ledger.durable > NATION.candidates
    page = write_report(result, tmp_path / "report")
    words = page.read_text()
    assert "acknowledged events lost" in words
    asked, did, ran = (
        words.index(f"<h2>{what}</h2>") for what in ("What was asked for", "What the pupils did", "What it ran on")
    )
    assert asked < words.index("<td>candidates</td>") < did < words.index("<td>final receipts</td>") < ran
    assert json.loads((tmp_path / "report" / "report.json").read_text())["ledger"]["lost"] == 0

    with pytest.raises(PlainError, match="30 candidates are in none of the shares"):
        joined.join(joined.load(path), parts[:1], owner_url)
    with pytest.raises(PlainError, match="candidates are in none of the shares"):
        joined.join(joined.load(path), [parts[0], parts[0]], owner_url)
    with pytest.raises(PlainError, match="A candidate is in two of the shares"):
        joined.join(joined.load(path), [*parts, parts[1]], owner_url)
    with pytest.raises(PlainError, match="is no share"):
        joined.join(joined.load(path), [*parts, tmp_path / "nothing"], owner_url)
    assert "not known: joined generators look at no process but themselves" in page.read_text()

    # Now somebody breaks Postgres behind our back: the ledger must say exactly what.
    db = await asyncpg.connect(owner_url)
    try:
        rows = await db.fetch(
            "select attempt_id, device, min(seq) as seq from response_event where sitting_id = $1 group by 1, 2 limit 3",
            scene.sitting,
        )
        gone, changed, foreign = rows
        where = "sitting_id = $1 and attempt_id = $2 and device = $3 and seq = $4"
        await db.execute(f"delete from response_event where {where}", scene.sitting, *gone.values())
        await db.execute(f"update response_event set value = '\"x\"' where {where}", scene.sitting, *changed.values())
        await db.execute(
            f"update response_event set device = gen_random_uuid() where {where}", scene.sitting, *foreign.values()
        )
    finally:
        await db.close()
    broken = (await asyncio.to_thread(joined.join, joined.load(path), parts, owner_url)).ledger
    assert (broken.lost, broken.altered, broken.unknown) == (2, 1, 1)
    assert not broken.clean


async def test_an_installation_may_hold_several_scenes(stack: Stack, owner_url: str) -> None:
    pepper = decode_key(stack.secrets.code_pepper)
    scenes = [await make_scene(owner_url, environment(stack.home, "pack"), pepper, 2) for _ in range(2)]
    assert scenes[0].sitting != scenes[1].sitting


@pytest.mark.parametrize("url", ["http://10.0.0.7:8100", "https://exam.example.kz"])
def test_it_plays_against_this_machine_only_unless_the_host_is_named(url: str) -> None:
    with pytest.raises(PlainError, match="is not this machine"):
        joined.require_host(url, "")
    with pytest.raises(PlainError):
        joined.require_host(url, "other.example.kz")
    joined.require_host(url, url.rpartition("//")[2].partition(":")[0])
    joined.require_host("http://127.0.0.1:8100", "")


@pytest.mark.parametrize("words", ["0/2", "3/2", "x", "1", "-1/2"])
def test_a_share_that_is_none_is_one_line(words: str, tmp_path: Path) -> None:
    with pytest.raises(PlainError):
        joined.generate(_sent(), words, tmp_path, "")


def test_a_file_that_is_no_scene_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "scene.json"
    path.write_text("{}")
    with pytest.raises(PlainError, match="is not a scene"):
        joined.load(path)


def _sent() -> Sent:
    return Sent(nation=NATION, base_url="http://127.0.0.1:1", t0_unix_s=0, scene=BenchScene(1, [], []))
