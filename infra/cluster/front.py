"""HAProxy twice: before the engines (HTTP), and before Postgres, where it follows Patroni to the leader.

The same texts serve real machines with other addresses; a real front adds TLS to its `bind`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from infra.parts.process import Command, port_answers

if TYPE_CHECKING:
    from infra.cluster.plan import Plan

GLOBAL = """\
global
    # No maxconn: HAProxy takes what the limit of open files allows, two a caller.
    hard-stop-after 30s
    # By it a new process takes the listening sockets over from the old one: callers in the queue are not sent away.
    stats socket unix@{socket} mode 600 level admin expose-fd listeners
"""

# What HAProxy says by itself looks like the engine's own word; Retry-After is drawn, so that those sent away do not
# come back together.
AWAY = (
    '{"type": "https://elumiti.kz/problems/try-later", "title": "Not stored just now.", "status": 503,'
    ' "detail": "Keep everything and send the same again after Retry-After.", "code": "try-later"}'
)

ENGINES = """\
defaults
    mode http
    timeout connect 2s
    timeout client 75s
    timeout server 75s
    timeout http-request 35s
    timeout http-keep-alive 75s
    # Another engine is asked only when no connection came about: then nothing was sent.
    retries 2
    option redispatch 1
{errors}

frontend pupils
    bind {bind}
    # Who asks for limits by address must hear the caller's, and from us alone.
    http-request set-header X-Forwarded-For %[src]
    default_backend engines

backend engines
    balance leastconn
    option httpchk GET /ready
    http-check expect status 200
    default-server check inter 1s fall 2 rise 1
{servers}
"""

POSTGRES = """\
defaults
    mode tcp
    timeout connect 2s
    timeout client 1h
    timeout server 1h
    timeout check 2s

listen postgres
    bind {bind}
    option httpchk
    http-check send meth OPTIONS uri /primary
    http-check expect status 200
    # Who was connected to a leader that leads no more must connect anew.
    default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""


def engines_config(plan: Plan) -> str:
    """The front of the engines."""
    servers = "\n".join(f"    server {node.name} 127.0.0.1:{node.port}" for node in plan.engines)
    errors = "\n".join(
        f"    http-error status {status} content-type application/problem+json hdr Retry-After %[rand(46),add(15)]"
        f" hdr Cache-Control no-store string '{AWAY}'"
        for status in (502, 503, 504)
    )
    body = ENGINES.format(bind=f"127.0.0.1:{plan.home.ports.engine}", servers=servers, errors=errors)
    return _global(plan, "front") + "\n" + body


def postgres_config(plan: Plan) -> str:
    """One address for the database, wherever it is led."""
    servers = "\n".join(
        f"    server {node.name} 127.0.0.1:{node.port} check port {node.side}" for node in plan.postgres
    )
    body = POSTGRES.format(bind=f"127.0.0.1:{plan.home.ports.postgres}", servers=servers)
    return _global(plan, "database") + "\n" + body


def _global(plan: Plan, name: str) -> str:
    # A socket's path has 107 bytes at the most, and HAProxy adds some of its own.
    path = str(plan.folder / f"{name}.sock")
    return GLOBAL.format(socket=min(path, os.path.relpath(path), key=len))


def command(plan: Plan, name: str, text: str, port: int) -> Command:
    """How to start a HAProxy; SIGUSR2 makes it read its file anew without closing what is open."""
    path = plan.folder / f"{name}.cfg"
    path.write_text(text)

    async def ready() -> bool:
        return await port_answers(port)

    return Command(
        name=name,
        argv=["haproxy", "-W", "-db", "-f", str(path)],
        environ={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        log=plan.home.log(name),
        ready=ready,
    )
