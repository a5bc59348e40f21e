"""A small model of rules 1–3 for exhaustive search: one player, one stream at a time, a flusher, two stores that may fail.

What is modelled: a player's log, acknowledgement by receipt, loss of an acknowledgement on the line,
Valkey losing the tail of what it had acknowledged (a promoted replica) or all of it, the flusher's two steps (read at
the committed position; commit position and events together) with a crash in between, a second flusher, the player's
time-out after which everything not durable is sent again.

What must hold in every reachable state: an event that the player believes durable is in Postgres, and no entry was
stored by two flushers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_ENTRIES = 3


class Stream(msgspec.Struct, frozen=True):
    """A stream: entries in Valkey, the committed position in Postgres, and whether its connection still lives."""

    entries: tuple[int, ...] = ()
    position: int = 0
    alive: bool = True


class State(msgspec.Struct, frozen=True):
    """All of the modelled world. A receipt is (stream, length after the entry)."""

    streams: tuple[Stream, ...] = (Stream(),)
    postgres: frozenset[int] = frozenset()
    receipts: tuple[tuple[int, int] | None, ...] = (None, None)
    durable: frozenset[int] = frozenset()
    # What each flusher has read but not committed: (stream, from, to, events)
    reads: tuple[tuple[int, int, int, tuple[int, ...]] | None, ...] = (None, None)
    failures: int = 0
    # An entry was stored by two flushers (plain COPY would fail or double it).
    doubled: bool = False


class Rules(msgspec.Struct, frozen=True):
    """The rules as switches: each turned off is a known way to lose an answer."""

    new_stream_after_loss: bool = True
    guarded_position: bool = True
    events_with_position: bool = True
    durable_by_own_stream: bool = True


def steps(state: State, rules: Rules, most_failures: int) -> Iterator[tuple[str, State]]:
    """Every state that one step can lead to."""
    yield from _saves(state)
    yield from _flushes(state, rules)
    yield from _hears(state, rules)
    if state.failures < most_failures:
        yield from _failures(state, rules)


def _saves(state: State) -> Iterator[tuple[str, State]]:
    number = len(state.streams) - 1
    stream = state.streams[number]
    if not stream.alive or len(stream.entries) == MOST_ENTRIES:
        return
    for event in range(1, len(state.receipts) + 1):
        if event in state.durable or state.receipts[event - 1] is not None:
            continue
        written = _with_stream(state, number, msgspec.structs.replace(stream, entries=(*stream.entries, event)))
        receipts = tuple(
            (number, len(stream.entries) + 1) if place == event - 1 else receipt
            for place, receipt in enumerate(state.receipts)
        )
        yield f"save {event}", msgspec.structs.replace(written, receipts=receipts)
        # Written, but the acknowledgement is lost on the line: the player knows nothing of it.
        yield f"save {event}, acknowledgement lost", written


def _flushes(state: State, rules: Rules) -> Iterator[tuple[str, State]]:
    for flusher, read in enumerate(state.reads):
        if read is None:
            for number, stream in enumerate(state.streams):
                fresh = stream.entries[stream.position :]
                if fresh:
                    taken = (number, stream.position, stream.position + len(fresh), fresh)
                    yield f"flusher {flusher} reads {number}", _with_read(state, flusher, taken)
            continue
        number, start, end, events = read
        stream = state.streams[number]
        done = _with_read(state, flusher, None)
        yield f"flusher {flusher} dies", done
        if rules.guarded_position and stream.position != start:
            yield f"flusher {flusher} is refused", done
            continue
        moved = _with_stream(done, number, msgspec.structs.replace(stream, position=end))
        doubled = state.doubled or start < stream.position
        stored = msgspec.structs.replace(moved, postgres=state.postgres | set(events), doubled=doubled)
        yield f"flusher {flusher} commits", stored
        if not rules.events_with_position:
            yield f"flusher {flusher} commits the position alone", moved


def _hears(state: State, rules: Rules) -> Iterator[tuple[str, State]]:
    positions = tuple(stream.position for stream in state.streams)
    for event, receipt in enumerate(state.receipts, 1):
        if receipt is None or event in state.durable:
            continue
        number, place = receipt
        position = positions[number] if rules.durable_by_own_stream else max(positions)
        if position >= place:
            yield f"player hears durable {event}", msgspec.structs.replace(state, durable=state.durable | {event})
        forgotten = tuple(None if at == event - 1 else kept for at, kept in enumerate(state.receipts))
        yield f"player's time-out for {event}", msgspec.structs.replace(state, receipts=forgotten)


def _failures(state: State, rules: Rules) -> Iterator[tuple[str, State]]:
    number = len(state.streams) - 1
    stream = state.streams[number]
    worse = msgspec.structs.replace(state, failures=state.failures + 1)
    for kept in range(len(stream.entries)):
        shorter = msgspec.structs.replace(stream, entries=stream.entries[:kept])
        lost = _with_stream(worse, number, msgspec.structs.replace(shorter, alive=not rules.new_stream_after_loss))
        yield f"Valkey loses all after {kept}", _next_stream(lost) if rules.new_stream_after_loss else lost
    if rules.new_stream_after_loss:
        cut = _with_stream(worse, number, msgspec.structs.replace(stream, alive=False))
        yield "the connection is cut", _next_stream(cut)


def _next_stream(state: State) -> State:
    return msgspec.structs.replace(state, streams=(*state.streams, Stream()))


def _with_stream(state: State, number: int, stream: Stream) -> State:
    streams = tuple(stream if place == number else each for place, each in enumerate(state.streams))
    return msgspec.structs.replace(state, streams=streams)


def _with_read(state: State, flusher: int, read: tuple[int, int, int, tuple[int, ...]] | None) -> State:
    # Flushers are alike: in a fixed order, the same situation is one state.
    reads = sorted((read if place == flusher else each for place, each in enumerate(state.reads)), key=str)
    return msgspec.structs.replace(state, reads=tuple(reads))


class Found(msgspec.Struct, frozen=True):
    """What a search came to: the shortest way to a lost answer if there is one, and how much was seen."""

    way: list[str] | None
    states: int
    depth: int


def search(rules: Rules, *, events: int, depth: int, most_failures: int) -> Found:
    """Every interleaving up to `depth` steps, breadth first; ends early when no new state can be reached."""
    start = State(receipts=(None,) * events)
    seen = {start}
    frontier: list[tuple[State, tuple[str, ...]]] = [(start, ())]
    for done in range(depth):
        coming: list[tuple[State, tuple[str, ...]]] = []
        for state, way in frontier:
            for name, after in steps(state, rules, most_failures):
                if after.doubled or not after.durable <= after.postgres:
                    return Found([*way, name], len(seen), done)
                if after not in seen:
                    seen.add(after)
                    coming.append((after, (*way, name)))
        frontier = coming
        if not frontier:
            return Found(None, len(seen), done)
    return Found(None, len(seen), depth)
