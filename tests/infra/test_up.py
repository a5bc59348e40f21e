"""`elumiti up` as a person starts it: what goes wrong is one line with its remedy, and a killed run hurts nobody."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import httpx
import psutil
import pytest

from infra.local import Home, Ports, database_url, load_secrets
from infra.parts.unused import free_ports
from tests.infra.conftest import elumiti, plain_environ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow
UP = "Everything is up"
LIMIT_S = 60
# Initdb wants an account that has a name.
ORDINARY = pwd.getpwnam("nobody").pw_uid


class Platform:
    """A home folder and the runs of `elumiti up` in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, free_ports()
        self.runs: list[subprocess.Popen[str]] = []

    @property
    def environ(self) -> dict[str, str]:
        return {"ELUMITI_HOME": str(self.folder)}

    def words(self, *more: str, ports: Ports | None = None) -> list[str]:
        """The command with this home's ports."""
        ports = ports or self.ports
        flags = [f"--{name}-port={getattr(ports, name)}" for name in Ports.__struct_fields__]
        return ["up", "--engine-workers=1", *flags, *more]

    def start(self, *more: str, until: str = UP, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """Start it and read on until a line; its output so far is in `said`."""
        run = subprocess.Popen(
            [*before, sys.executable, "-m", "infra", *self.words(*more)],
            env=plain_environ() | self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.runs.append(run)
        self.said = ""
        assert run.stdout
        for line in run.stdout:
            self.said += line
            if until in line:
                return run
        raise AssertionError(self.said)

    def refuse(self, *more: str, ports: Ports | None = None, before: tuple[str, ...] = ()) -> str:
        """Its one line when it does not start."""
        argv = [*before, sys.executable, "-m", "infra", *self.words(*more, ports=ports)]
        done = subprocess.run(
            argv, env=plain_environ() | self.environ, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        assert done.returncode == 1, done.stdout + done.stderr
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("elumiti: ")]
        assert len(done.stderr.splitlines()) == len(said) == 1, done.stdout + done.stderr
        return said[0]


@contextlib.contextmanager
def home_of_its_own() -> Iterator[Platform]:
    """Whatever still runs of it at the end is killed."""
    folder = Path(tempfile.mkdtemp(prefix="elumiti-up-"))
    folder.chmod(0o755)
    made = Platform(folder / "home")
    yield made
    for run in made.runs:
        for process in whole_tree(run):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        run.wait()
        assert run.stdout
        run.stdout.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def platform() -> Iterator[Platform]:
    """An empty home."""
    with home_of_its_own() as made:
        yield made


@pytest.fixture(scope="module")
def running() -> Iterator[Platform]:
    """One that is up, for tests that leave it up; whatever ended its last run, the next one is `runs[-1]`."""
    with home_of_its_own() as made:
        made.start()
        assert "migration(s) applied" in made.said
        yield made
        stop(made, made.runs[-1])


def whole_tree(run: subprocess.Popen[str]) -> list[psutil.Process]:
    """The supervisor and all that descends from it."""
    if run.poll() is not None:
        return []
    parent = psutil.Process(run.pid)
    return [parent, *parent.children(recursive=True)]


def until(true: Callable[[], object], what: str) -> None:
    limit = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < limit, what
        time.sleep(0.05)


def stop(platform: Platform, run: subprocess.Popen[str]) -> None:
    """Ctrl-C; ends with nothing left of it."""
    family = whole_tree(run)
    assert len(family) > 6
    run.send_signal(signal.SIGINT)
    assert run.stdout
    platform.said += run.stdout.read()
    assert run.wait(LIMIT_S) == 0, platform.said
    assert "Traceback" not in platform.said
    _, alive = psutil.wait_procs(family, 0)
    assert not alive


def test_ctrl_c_stops_everything_and_the_next_start_keeps_the_data(running: Platform) -> None:
    stop(running, running.runs[-1])
    assert "This installation is not a demo." in running.refuse("--demo")
    running.start()
    assert "Schema: up to date." in running.said


def test_after_kill_9_of_the_supervisor_it_starts_again(running: Platform) -> None:
    """Its servers stop by themselves and write what they hold: the next start waits until the last has."""
    run = running.runs[-1]
    family = whole_tree(run)
    run.kill()
    run.wait()
    running.start()
    assert not [process for process in family if process.is_running()]


@pytest.mark.parametrize(("part", "app"), [("portal", "portal.app:app"), ("engine", "engine.app:engine")])
def test_no_worker_outlives_its_server(running: Platform, part: str, app: str) -> None:
    """Killed by -9 it can stop nobody; an orphan would hold the port, and answer there with what was yesterday."""
    server = next(one for one in psutil.Process(running.runs[-1].pid).children() if app in one.cmdline())
    workers = server.children(recursive=True)
    assert workers
    server.kill()
    until(lambda: not any(worker.is_running() for worker in workers), f"a worker of {app} goes on alone")
    health = f"http://127.0.0.1:{getattr(running.ports, part)}/health"

    def answers() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(health, headers={"connection": "close"}).status_code == 200
        return False

    until(answers, f"the {part} did not come back")


def test_after_kill_9_of_everything_it_starts_again(running: Platform) -> None:
    """Postgres leaves a lock with its number; by then that may be another program's, as it is ours here."""
    run = running.runs[-1]
    for process in whole_tree(run):
        # One that was just being replaced may be gone by itself.
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    run.wait()
    lock = running.folder / "postgres" / "postmaster.pid"
    lock.write_text("\n".join([str(os.getpid()), *lock.read_text().splitlines()[1:], ""]))
    running.start()


def test_cut_short_at_its_first_start_by_kill_9_or_ctrl_c_it_starts_again(platform: Platform) -> None:
    argv = [sys.executable, "-m", "infra", *platform.words()]
    run = subprocess.Popen(
        argv, env=plain_environ() | platform.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    platform.runs.append(run)
    until((platform.folder / "postgres.making" / "PG_VERSION").exists, "initdb never began")
    run.kill()
    run.wait()
    stop(platform, platform.start(until="are up"))
    stop(platform, platform.start())


def test_a_second_start_beside_a_running_one_is_one_line(running: Platform) -> None:
    line = running.refuse()
    assert f"(process {running.runs[-1].pid}) already serves {running.folder}" in line
    assert "Stop it with Ctrl-C" in line


@pytest.mark.parametrize("name", ["engine", "valkey"])
def test_a_port_in_use_is_one_line(platform: Platform, name: str) -> None:
    with socket.create_server(("127.0.0.1", getattr(platform.ports, name))) as taken:
        port = taken.getsockname()[1]
        for _ in range(2):
            began = time.monotonic()
            line = platform.refuse()
            assert f"Port {port} for {name} is in use" in line
            assert f"elumiti up --{name}-port {port + 1000 if port < 60_000 else port - 1000}" in line
            # Nobody waits for a stranger's program as for the rest of a killed run.
            assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--portal-port=99999",), "--portal-port 99999 is no port. Give a number from 1 to 65535."),
        (("--portal-port=-1",), "--portal-port -1 is no port."),
        (("--portal-port=9100", "--status-port=9100"), "Port 9100 cannot serve both portal and status."),
        (("--engine-workers=0",), "--engine-workers 0 would serve nobody."),
    ],
)
def test_numbers_that_nothing_can_be_served_with_are_one_line(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    run = elumiti("up", *words, environ={"ELUMITI_HOME": str(tmp_path / "home")})
    assert run.returncode == 1
    assert run.stderr.startswith(f"elumiti: {said}")
    assert run.stderr.count("\n") == 1


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    run = elumiti("play", str(tmp_path / "nobody.json"), environ={"ELUMITI_HOME": str(tmp_path)})
    assert run.returncode == 1
    assert run.stderr == f"elumiti: {tmp_path}/nobody.json is not there. Check its name and folder.\n"


def test_demo_secrets_are_served_to_loopback_only(platform: Platform) -> None:
    line = platform.refuse("--demo", "--host=0.0.0.0")
    assert "it does not listen on 0.0.0.0" in line
    assert f"ELUMITI_HOME={platform.folder}-lan elumiti up --demo --lan" in line
    line = platform.refuse("--demo", "--lan")
    assert "demo secrets and logins of this machine alone" in line
    assert "one machine" not in line
    assert "--lan is for a demo" in platform.refuse("--lan")


def test_a_full_disk_is_one_line(platform: Platform) -> None:
    """On a disk of its own that is small, then on one without a free byte."""
    for fill in ("true", f"head -c 64m /dev/zero > {platform.folder}/full; true"):
        line = platform.refuse(before=on_a_small_disk(platform.folder, fill))
        assert "MB are free" in line
        assert "Make room, or set ELUMITI_HOME to a folder on another disk." in line


def test_a_part_that_finds_no_room_says_so_in_one_line(platform: Platform) -> None:
    """The disk filled after the start's own look at it."""
    script = """
import asyncio, sys
from pathlib import Path
from infra.errors import PlainError
from infra.parts.process import Command, Part
async def never(): return False
part = Part(Command(name="valkey", argv=["false"], environ={}, log=Path(sys.argv[1]) / "valkey.log", ready=never))
try:
    asyncio.run(part.up())
except PlainError as error:
    print(error)
"""
    words = (*on_a_small_disk(platform.folder, "true"), sys.executable, "-c", script, str(platform.folder))
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    assert done.stdout.startswith("valkey could not start: only ")
    assert "Make room and start again" in done.stdout


def test_a_folder_that_cannot_be_written_is_one_line(platform: Platform) -> None:
    platform.folder.mkdir()
    script = f'mount -t tmpfs -o ro,size=8g none {platform.folder} && exec "$@"'
    line = platform.refuse(before=(*namespace(), "sh", "-c", script, "sh"))
    assert f"Read-only file system at {platform.folder}" in line


def namespace(*flags: str) -> tuple[str, ...]:
    """The words that put a command into a namespace of its own; as root with its rights, else as root inside only."""
    flags = flags or (("-m",) if os.geteuid() == 0 else ("-Urm",))
    words = (shutil.which("unshare") or "unshare", *flags)
    try:
        subprocess.run([*words, "true"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"`unshare` (util-linux) cannot make this namespace here, so the scene cannot be set: {error}")
    return words


def on_a_small_disk(folder: Path, fill: str) -> tuple[str, ...]:
    """The words before a command so that `folder` is a disk of 64 MB for it."""
    folder.mkdir(exist_ok=True)
    script = f'mount -t tmpfs -o size=64m none {folder} && {{ {fill}; }} && exec "$@"'
    return (*namespace(), "sh", "-c", script, "sh")


def test_an_ordinary_user_can_start_it_too(platform: Platform) -> None:
    """As root all else here runs as root; in a user namespace the same account has another number and no rights."""
    words = namespace("-U", f"--map-user={ORDINARY}", f"--map-group={ORDINARY}") if os.geteuid() == 0 else ()
    run = platform.start(before=words)
    stop(platform, run)


def test_with_lan_a_phone_reaches_pupils_and_staff_and_no_server(platform: Platform) -> None:
    """127.0.0.2 stands for this machine's address in its network: nothing but an open port answers there."""
    cut = platform.start("--demo", "--lan", until="Filling the demo")
    until(lambda: asyncio.run(forms(platform)), "the demo's forms never came")
    cut.kill()
    cut.wait()
    # A fill that was cut short goes on.
    run = platform.start("--demo", "--lan")
    assert run.stdout
    while "Ctrl-C" not in platform.said:
        platform.said += run.stdout.readline()
    assert "no camera and no service worker" in platform.said
    assert "/demo" not in platform.said
    assert "http://0.0.0.0" not in platform.said
    answers = {name: reaches("127.0.0.2", getattr(platform.ports, name)) for name in Ports.__struct_fields__}
    assert answers == {
        name: name in {"engine", "portal", "status", "pictures", "live"} for name in Ports.__struct_fields__
    }
    assert httpx.get(f"http://127.0.0.2:{platform.ports.portal}/demo").status_code == 404
    stop(platform, run)
    line = platform.refuse("--demo", "--host=0.0.0.0")
    assert "Say so with --demo --lan" in line


async def forms(platform: Platform) -> bool:
    """Whether the demo's first tables are there."""
    home = Home(platform.folder, platform.ports)
    db = await asyncpg.connect(database_url(home, "elumiti_owner", load_secrets(home).role_passwords["elumiti_owner"]))
    try:
        return bool(await db.fetchval("select 1 from test limit 1"))
    finally:
        await db.close()


def reaches(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 2).close()
    except OSError:
        return False
    return True


def test_up_says_what_it_can_do() -> None:
    said = elumiti("up", "--help", environ={}).stdout
    assert "--lan" in said
