"""The spool's own promises: a segment closes by its age whatever else fails, and what a dead process left is whole."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from typing import TYPE_CHECKING

import pytest

from proctoring import spool as spools
from proctoring.keys import LINE, KeyRing, draw, lines_of, read_lines
from proctoring.segment_file import SegmentFile
from proctoring.segments import MARK_BYTES, entries
from proctoring.spool import Spool, done_with
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

KEK = bytes(range(32))


def made(root: Path, closed: list[Path], segment_s: float = 60) -> Spool:
    return Spool(
        root, KeyRing(), KEK, closed.append, segment_bytes=2**23, segment_s=segment_s, most_bytes=2**30, free_bytes=0
    )


async def dead(root: Path, pictures: int = 3) -> Path:
    """The folder of a process that died with acknowledged pictures in an open segment."""
    spool = made(root, [])
    for number in range(pictures):
        await spool.join(1, 70 + number, 5, 1, 1, 1, b"picture")
    return die(spool)


def die(spool: Spool) -> Path:
    """As kill -9 does it: nothing is closed in order, the locks are gone."""
    for task in spool._tasks:
        task.cancel()
    for lock in (spool._lock, *spool._taken.values()):
        os.close(lock)
    return spool.folder


async def test_the_last_pictures_go_by_the_segment_s_age_though_the_disk_cannot_be_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process took a folder away while we looked; nobody sends any more, so nothing else closes the segment."""
    monkeypatch.setattr(spools, "MEASURE_EVERY_S", 0.0)
    closed: list[Path] = []
    spool = made(tmp_path, closed, segment_s=0.6)
    await spool.join(1, 7, 5, 1, 1, 1, b"picture")

    def gone(_root: Path) -> list[Path]:
        raise FileNotFoundError

    monkeypatch.setattr(spools, "_folders", gone)

    async def whole() -> None:
        assert len(closed) == 1

    await eventually(whole, limit_s=5)
    await spool.close()


async def test_who_dies_while_it_takes_over_leaves_pictures_and_keys_together(tmp_path: Path) -> None:
    """Three processes in a row: the last has every segment with its keys."""
    first = await dead(tmp_path)
    second = made(tmp_path, [])
    assert {path.parent for path in second.adopt()} == {first}
    await second.join(1, 99, 5, 1, 1, 1, b"picture")
    die(second)
    third = made(tmp_path, [])
    left = third.adopt()
    assert {path.parent for path in left} == {first, second.folder}
    for path in left:
        assert read_lines(path.with_suffix(".keys").read_bytes(), KEK)
    assert {key.attempt for key in third.keys_here()} == {70, 71, 72, 99}
    for path in left:
        done_with(path)
    third.adopt()
    assert {path for path in tmp_path.iterdir() if path.is_dir()} == {third.folder}
    await third.close()


async def test_two_who_start_at_once_take_each_folder_once_and_none_of_a_living_one(tmp_path: Path) -> None:
    folders = {await dead(tmp_path) for _ in range(4)}
    living = made(tmp_path, [])
    await living.join(1, 8, 5, 1, 1, 1, b"picture")
    one, other = made(tmp_path, []), made(tmp_path, [])
    halves = await asyncio.gather(asyncio.to_thread(one.adopt), asyncio.to_thread(other.adopt))
    found = [path.parent for half in halves for path in half]
    assert sorted(found) == sorted(folders)
    for spool in (living, one, other):
        await spool.close()


async def test_a_folder_that_has_no_name_yet_is_left_alone(tmp_path: Path) -> None:
    """A process that is being started holds its folder before anybody can find it."""
    (tmp_path / f"abc{spools.MAKING}").mkdir()
    (tmp_path / f"abc{spools.MAKING}" / spools.LOCK).touch()
    spool = made(tmp_path, [])
    assert spool.adopt() == []
    assert (tmp_path / f"abc{spools.MAKING}" / spools.LOCK).exists()
    await spool.close()


async def test_a_large_group_does_not_wait_for_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a segment holds to its eight megabytes however fast pictures come."""
    spool = made(tmp_path, [])
    await spool.join(1, 7, 5, 1, 1, 1, b"picture")
    monkeypatch.setattr(spools, "SPACING_S", 60.0)
    small = spool.join(1, 7, 5, 2, 1, 1, b"picture")
    await asyncio.sleep(0.1)
    assert not small.done()
    body = bytes(12_288)
    for seq in range(3, 4 + spools.GROUP_BYTES // len(body)):
        spool.join(1, 7, 5, seq, 1, 1, body)
    await asyncio.wait_for(small, 5)
    assert spool.groups == 2
    await spool.close()


async def test_an_erasing_waits_until_the_group_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that a thread writes into is not closed under it: its number may be a socket's the next moment."""
    closed: list[Path] = []
    ring = KeyRing()
    spool = Spool(tmp_path, ring, KEK, closed.append, segment_bytes=2**23, segment_s=60, most_bytes=2**30, free_bytes=0)
    await spool.join(1, 7, 5, 1, 1, 1, b"picture")
    within, real = asyncio.Event(), os.fdatasync
    loop = asyncio.get_running_loop()

    def slow(file: int) -> None:
        loop.call_soon_threadsafe(within.set)
        time.sleep(0.5)
        real(file)

    monkeypatch.setattr(os, "fdatasync", slow)
    going = spool.join(1, 8, 5, 1, 1, 1, b"another")
    await asyncio.wait_for(within.wait(), 5)
    ring.forget({7, 8})
    spool.forget({7, 8})
    await going
    monkeypatch.undo()

    async def gone() -> None:
        assert closed
        assert all(read_lines(path.with_suffix(".keys").read_bytes(), KEK) == [] for path in closed)

    await eventually(gone, limit_s=5)
    assert sum(1 for path in closed for _ in entries(path.read_bytes())) == 2
    await spool.close()


async def test_a_file_that_the_store_has_is_written_over_and_a_crash_brings_nothing_old_back(tmp_path: Path) -> None:
    """The second segment is smaller than the first and lies in its file: what stands behind it was sent long ago."""
    closed: list[Path] = []
    spool = Spool(
        tmp_path, KeyRing(), KEK, closed.append, segment_bytes=100_000, segment_s=60, most_bytes=2**30, free_bytes=0
    )
    await asyncio.gather(*(spool.join(1, number, 5, 1, 1, 1, bytes(12_288)) for number in range(10)))

    async def whole() -> None:
        assert len(closed) == 1

    await eventually(whole, limit_s=5)
    first = closed[0]
    size, file = first.stat().st_size, first.stat().st_ino
    spool.done_with(first, again=True)
    assert list(spool.folder.glob("*.seg")) == []
    for number in (20, 21):
        await spool.join(1, number, 5, 1, 1, 1, bytes(12_288))
    (open_now,) = spool.folder.glob("*.seg")
    assert (open_now.stat().st_ino, open_now.stat().st_size) == (file, size)
    die(spool)
    third = made(tmp_path, [])
    (left,) = third.adopt()
    assert [entry.attempt for entry in entries(left.read_bytes())] == [20, 21]
    assert {key.attempt for key in third.keys_here()} == {20, 21}
    await third.close()


async def test_what_a_version_without_groups_left_is_kept_for_a_person(tmp_path: Path) -> None:
    """An upgrade met a spool that was not empty: its pictures were acknowledged, so they are not thrown away as a torn tail."""
    folder = await dead(tmp_path)
    (path,) = folder.glob("*.seg")
    old = path.read_bytes()[MARK_BYTES:]
    path.write_bytes(old)
    after = made(tmp_path, [])
    assert after.adopt() == []
    assert path.with_suffix(".bad").read_bytes() == old
    assert path.with_suffix(".keys").exists()
    await after.close()


async def test_the_keys_of_what_was_set_aside_outlive_a_restart(tmp_path: Path) -> None:
    """The index would not take it; somebody mends the reason, renames it and starts again: then it must open."""
    folder = await dead(tmp_path)
    (path,) = folder.glob("*.seg")
    spools.set_aside(path)
    for _ in range(2):
        after = made(tmp_path, [])
        assert after.adopt() == []
        assert after.adopt() == []
        await after.close()
    path.with_suffix(".bad").rename(path)
    last = made(tmp_path, [])
    assert last.adopt() == [path]
    assert {key.attempt for key in last.keys_here()} == {70, 71, 72}
    await last.close()


async def test_a_file_that_somebody_may_still_read_is_not_written_over(tmp_path: Path) -> None:
    spool = made(tmp_path, [])
    await spool.join(1, 7, 5, 1, 1, 1, b"picture")
    (path,) = spool.folder.glob("*.seg")
    spool._abandon()
    spool.done_with(path, again=False)
    assert {one.name for one in spool.folder.iterdir()} == {spools.LOCK}
    await spool.close()


def group(letter: str) -> memoryview:
    return memoryview(bytearray(MARK_BYTES) + letter.encode() * 10)


async def test_a_disk_that_fills_up_leaves_no_half_of_a_key(tmp_path: Path) -> None:
    """A short write is no write: those whose keys had no room are told so, and all that was acknowledged opens."""
    files = SegmentFile(tmp_path)
    key = draw(1, 5)
    files.write(group("x"), lines_of([key], KEK))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    many = lines_of([draw(number, 5) for number in range(2, 40)], KEK)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LINE.size * 20 + 7, before[1]))
    try:
        with pytest.raises(OSError, match="large"):
            files.write(group("y"), many)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    files.write(group("z"), many)
    files.close()
    whole = files.path.read_bytes()
    assert len(whole) == 2 * (MARK_BYTES + 10)
    assert whole.endswith(b"z" * 10)
    assert len(read_lines(files.path.with_suffix(".keys").read_bytes(), KEK)) == 39
