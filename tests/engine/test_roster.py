"""The disk's copy of the roster: what an engine starts from while Postgres is away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.roster import WRITTEN, Pupil, Roster
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.streams import Bench


def pupil(attempt: int) -> Pupil:
    return Pupil(
        **dict.fromkeys(Pupil.__struct_fields__, 0)
        | {"attempt": attempt, "sitting": 1, "language": "kk", "first_name": "Аружан", "locked": False}
    )


async def test_a_roster_of_several_pieces_comes_back_whole(tmp_path: Path) -> None:
    roster = Roster(tmp_path, demo=False)
    roster.codes = {number.to_bytes(16, "big"): pupil(number) for number in range(2 * WRITTEN + 50)}
    await roster.write()
    again = Roster(tmp_path, demo=False)
    assert again.load_snapshot()
    assert again.codes == roster.codes
    assert again.pupils[WRITTEN] == pupil(WRITTEN)


async def test_what_changes_while_it_is_written_is_written_next(bench: Bench, tmp_path: Path) -> None:
    roster = Roster(tmp_path, demo=False)
    roster.codes = {number.to_bytes(16, "big"): pupil(number) for number in range(100 * WRITTEN)}
    writing = asyncio.create_task(roster.write_for_ever())
    try:
        await roster.refresh(bench.db)
        await eventually_begun(tmp_path)
        roster.codes[b"late"] = pupil(7_000_000)
        region = await move_schools(bench)
        await roster.refresh(bench.db)
        again = Roster(tmp_path, demo=False)

        async def both_written() -> None:
            assert again.load_snapshot()
            assert again.codes == roster.codes

        await eventually(both_written)
    finally:
        writing.cancel()
    assert set(again.regions.values()) == {region}


async def test_a_full_disk_is_tried_again(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roster = Roster(tmp_path / "there", demo=False)
    (tmp_path / "there").write_text("a file where the folder should be")
    monkeypatch.setattr("engine.roster.WRITTEN_APART_S", 0.05)
    writing = asyncio.create_task(roster.write_for_ever())
    try:
        await roster.refresh(bench.db)
        await asyncio.sleep(0.1)
        assert not writing.done()
        (tmp_path / "there").unlink()

        async def written() -> None:
            assert Roster(tmp_path / "there", demo=False).load_snapshot()

        await eventually(written)
    finally:
        writing.cancel()
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["roster.msgpack"]


async def test_schools_are_read_when_one_has_moved_and_not_before(bench: Bench, tmp_path: Path) -> None:
    """Seven thousand rows every two seconds would hold up the saves of that moment."""
    roster = Roster(tmp_path, demo=False)
    await roster.refresh(bench.db)
    known = roster.regions
    assert known
    await roster.refresh(bench.db)
    assert roster.regions is known
    region = await move_schools(bench)
    await roster.refresh(bench.db)
    assert roster.regions == dict.fromkeys(known, region)


async def eventually_begun(folder: Path) -> None:
    """A writing is on its way."""
    while not list(folder.iterdir()):
        await asyncio.sleep(0)


async def move_schools(bench: Bench) -> str:
    """All of them into a district of another region; its code."""
    district = await bench.db.fetchval(
        """
        with moved as (
            insert into region (code, name_kk, name_ru, name_en)
            values ('KZ-62', 'Ұлытау облысы', 'Область Улытау', 'Ulytau Region')
            returning code
        )
        insert into district (region_code, name_kk, name_ru, name_en)
        select code, 'Ұлытау ауданы', 'Улытауский район', 'Ulytau district' from moved
        returning id
        """
    )
    await bench.db.execute("update school set district_id = $1", district)
    return "KZ-62"
