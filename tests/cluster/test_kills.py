"""A primary of each kind is killed under load: what was acknowledged is in Postgres once, unaltered, and all goes on.

The pupils are those of `tests/faults`, who keep docs/protocol.md: what is not durable in time they send again.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import msgspec
import psutil
import pytest

from infra import doctor_parts
from infra.cluster import postgres
from infra.local import environment
from infra.settings import PROCESSES, read
from tests.cluster import nodes
from tests.cluster.ledger import begin, on
from tests.support.waiting import all_workers_ready, eventually

if TYPE_CHECKING:
    from infra.cluster.stack import ClusterStack
    from infra.doctor_parts import Finding
    from tests.support.loop import Loop


def kill_all(pid: int) -> None:
    """Kill -9 a process and its children."""
    process = psutil.Process(pid)
    for victim in [process, *process.children(recursive=True)]:
        victim.kill()


@pytest.mark.timeout(300)
async def test_nothing_is_lost_when_a_shard_an_engine_and_a_flusher_die(cluster: ClusterStack, loop: Loop) -> None:
    """The short form: one sitting, three blows. The primary of the shard that is written stays away."""
    settings = {
        name: read(PROCESSES[name], environment(cluster.home, name)) for name in ("engine", "flusher", "portal")
    }
    # Answers alone are tried here; pictures have faults of their own (tests/faults/test_pictures.py).
    settings["engine"] = msgspec.structs.replace(settings["engine"], pictures_url="")
    settings["portal"] = msgspec.structs.replace(settings["portal"], proctoring_internal_url="", live_urls=[])
    for node in cluster.plan.engines:
        await all_workers_ready(f"http://127.0.0.1:{node.port}")

    async def all_well() -> list[Finding]:
        """A worker that begins after its brother has served ten callers in a row says so here."""
        found = [finding async for finding in doctor_parts.examine(settings)]
        assert not [finding.line() for finding in found if finding.remedy]
        return found

    found = await eventually(all_well, limit_s=30)
    assert sum(finding.about == "valkey" for finding in found) == 7
    load = await begin(cluster)
    stream = (await nodes.written_streams(cluster))[0]
    primary = await nodes.primary_node(cluster, stream)
    replica = await nodes.replica_node(cluster, primary)

    async def fell_primary() -> None:
        await on(loop, cluster.parts[primary.name].kill())

    async def taken_over() -> None:
        assert await nodes.is_primary(cluster, replica)

    await load.strike(fell_primary)
    await eventually(taken_over, limit_s=30)

    async def fell_engine() -> None:
        pid = cluster.parts["engine-1"].pid
        assert pid
        kill_all(pid)

    await load.strike(fell_engine)

    async def fell_flusher() -> None:
        await on(loop, cluster.parts["flusher-1"].kill())

    # The other one takes all its streams over, and it does not come back meanwhile.
    await load.strike(fell_flusher)
    await load.settle("shard-engine-flusher", cluster.owner_url)
    # A failover is waited out; nobody ends over it.
    for survivor in ("flusher-2", "engine-2"):
        assert cluster.parts[survivor].restarts == 0, cluster.home.log(survivor).read_text()[-4000:]
    await on(loop, cluster.parts[primary.name].up())
    await on(loop, cluster.parts["flusher-1"].up())
    await eventually(lambda: nodes.whole(cluster), limit_s=30)


@pytest.mark.cluster
@pytest.mark.timeout(300)
async def test_a_valkey_primary_dies(cluster: ClusterStack, loop: Loop) -> None:
    load = await begin(cluster)
    primary = await nodes.primary_node(cluster, (await nodes.written_streams(cluster))[0])
    await load.strike(lambda: on(loop, cluster.parts[primary.name].kill()))
    await load.settle("valkey-primary", cluster.owner_url)
    await on(loop, cluster.parts[primary.name].up())
    await eventually(lambda: nodes.whole(cluster), limit_s=30)


@pytest.mark.cluster
@pytest.mark.timeout(300)
async def test_an_engine_dies(cluster: ClusterStack) -> None:
    load = await begin(cluster)

    async def blow() -> None:
        pid = cluster.parts["engine-2"].pid
        assert pid
        kill_all(pid)

    await load.strike(blow)
    await load.settle("engine", cluster.owner_url)


@pytest.mark.cluster
@pytest.mark.timeout(300)
async def test_a_flusher_dies_and_the_other_takes_its_streams_over(cluster: ClusterStack, loop: Loop) -> None:
    load = await begin(cluster)
    await load.strike(lambda: on(loop, cluster.parts["flusher-2"].kill()))
    await load.settle("flusher", cluster.owner_url)
    await on(loop, cluster.parts["flusher-2"].up())


@pytest.mark.cluster
@pytest.mark.timeout(300)
async def test_the_front_reads_its_file_anew(cluster: ClusterStack, loop: Loop) -> None:
    load = await begin(cluster)
    for _ in range(5):
        await load.strike(lambda: on(loop, cluster.reload("front")))
    # Nobody was even sent away.
    assert sum(writer.turned_away for writer in load.writers) == 0
    await load.settle("front-reload", cluster.owner_url)


@pytest.mark.cluster
@pytest.mark.timeout(300)
async def test_the_postgres_leader_dies_and_the_standby_leads(cluster: ClusterStack, loop: Loop) -> None:
    """Strict: until the dead one is back as a standby no COMMIT returns, so it is started once the other leads."""
    load = await begin(cluster)
    leader = await postgres.role(cluster.plan, "/primary")
    assert leader is not None

    async def blow() -> None:
        await on(loop, cluster.kill_postgres(leader))

        async def led_by_the_other() -> None:
            found = await postgres.role(cluster.plan, "/primary")
            assert found is not None
            assert found != leader

        await eventually(led_by_the_other, limit_s=60)
        await on(loop, cluster.parts[leader.name].up())

    await load.strike(blow)
    await load.settle("postgres-leader", cluster.owner_url)


@pytest.mark.cluster
@pytest.mark.timeout(300)
async def test_a_replica_without_the_last_entries_is_promoted(cluster: ClusterStack, loop: Loop) -> None:
    """Acknowledged answers are on a primary alone and die with it; the players send them again."""
    load = await begin(cluster)
    stream = (await nodes.written_streams(cluster))[0]
    primary = await nodes.primary_node(cluster, stream)
    replica = await nodes.replica_node(cluster, primary)
    flushers = [cluster.parts[name].pid for name in cluster.plan.flushers]
    lost: list[int] = []

    async def blow() -> None:
        for pid in flushers:
            assert pid
            os.kill(pid, signal.SIGSTOP)
        try:
            async with nodes.client(cluster, replica) as valkey:
                # It can't sign in at its primary any more: from here on it hears nothing.
                await valkey.config_set("masterauth", "wrong")
                await valkey.execute_command("CLIENT KILL TYPE master")
            acked = {writer.pupil.attempt: set(writer.pupil.acked) for writer in load.writers}

            async def more() -> None:
                fresh = [
                    seq
                    for writer in load.writers
                    for seq, receipt in writer.pupil.acked.items()
                    if seq not in acked[writer.pupil.attempt] and receipt.startswith(f"{stream}-")
                ]
                assert len(fresh) >= 5
                lost.extend(fresh)

            await eventually(more, limit_s=20)
            await on(loop, cluster.parts[primary.name].kill())

            async def promoted() -> None:
                assert await nodes.is_primary(cluster, replica)

            await eventually(promoted, limit_s=30)
        finally:
            for pid in flushers:
                assert pid
                os.kill(pid, signal.SIGCONT)

    await load.strike(blow)
    outcome = await load.settle("stale-replica", cluster.owner_url)
    assert len(lost) >= 5
    assert outcome.lost == 0
    async with nodes.client(cluster, replica) as valkey:
        await valkey.config_set("masterauth", cluster.secrets.valkey_password)
    # The old primary comes back with entries that nobody else has, and gives them up.
    await on(loop, cluster.parts[primary.name].up())
    await eventually(lambda: nodes.whole(cluster), limit_s=30)


@pytest.mark.cluster
@pytest.mark.timeout(300)
async def test_a_frozen_primary_wakes_up_after_another_has_taken_over(cluster: ClusterStack) -> None:
    load = await begin(cluster)
    primary = await nodes.primary_node(cluster, (await nodes.written_streams(cluster))[0])
    replica = await nodes.replica_node(cluster, primary)
    pid = cluster.parts[primary.name].pid
    assert pid

    async def blow() -> None:
        os.kill(pid, signal.SIGSTOP)
        try:

            async def promoted() -> None:
                assert await nodes.is_primary(cluster, replica)

            await eventually(promoted, limit_s=30)
        finally:
            os.kill(pid, signal.SIGCONT)

    await load.strike(blow)
    await load.settle("frozen-primary", cluster.owner_url)
    await eventually(lambda: nodes.whole(cluster), limit_s=30)
