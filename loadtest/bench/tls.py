"""`tls_handshake_cpu_us` and `tls_save_cpu_us`: what HAProxy takes with TLS 1.3 in front of the engine."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shutil
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.errors import PlainError
from infra.local import decode_key, environment
from infra.parts.process import Command, port_answers
from loadtest.bench.cpu import Meter
from loadtest.bench.figures import Figure, write
from loadtest.bench.saves import save_for, sign_in_all
from loadtest.bench.stack import fresh_stack, serve
from loadtest.scene import make_scene
from loadtest.wire import Pool, request

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack

HANDSHAKES = 5_000
PUPILS = 10_000
RATE = 3_000
SECONDS = 15.0
CONFIG = """\
global
    nbthread 1
    maxconn 8000
    ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    http-reuse always
frontend front
    bind 127.0.0.1:{port} ssl crt {pem} alpn http/1.1
    default_backend engine
backend engine
    server one 127.0.0.1:{engine}
"""


async def measure() -> None:
    """Handshakes one after another on new connections, then saves on kept ones."""
    binary = haproxy()
    async with fresh_stack() as stack:
        owner = stack.owner_url
        pack = {**os.environ, **environment(stack.home, "pack")}
        scene = await make_scene(owner, pack, decode_key(stack.secrets.code_pepper), PUPILS)
        await serve(stack)
        port, context = stack.home.ports.portal, await _front(stack, binary)
        pid = stack.parts["front"].pid
        assert pid is not None
        host = f"127.0.0.1:{port}"
        meter = Meter({"haproxy": pid})
        began = time.perf_counter()
        for _ in range(HANDSHAKES // 50):
            await asyncio.gather(*(_handshake(port, host, context) for _ in range(50)))
        took = time.perf_counter() - began
        handshake = 1e6 * meter.taken()["haproxy"] / HANDSHAKES
        pool = Pool("127.0.0.1", port, context)
        await pool.open(300)
        candidates, _ = await sign_in_all(pool, host, scene)
        meter = Meter({"haproxy": pid})
        sent = await save_for(pool, host, candidates, scene.items, RATE, SECONDS)
        save = 1e6 * meter.taken()["haproxy"] / sent.acked
        pool.close()
    what = "HAProxy (Debian's), one thread, TLS 1.3, ECDSA P-256"
    basis = f"{HANDSHAKES} new connections with one small request each in {took:.1f} s, no resumption; {what}"
    write(Figure(metric="tls_handshake_cpu_us", value=round(handshake, 1), unit="µs", basis=basis))
    basis = f"{sent.acked} saves at {RATE}/s on 300 kept connections; {what}; p99 {sent.percentile(0.99):.0f} ms"
    write(Figure(metric="tls_save_cpu_us", value=round(save, 1), unit="µs", basis=basis))


def haproxy() -> str:
    """Where it is installed."""
    binary = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
    if binary is None:
        raise PlainError("HAProxy is not installed.", "apt-get install haproxy")
    return binary


async def _front(stack: Stack, binary: str) -> ssl.SSLContext:
    folder = stack.home.folder / "front"
    folder.mkdir()
    pem = certificate_in(folder)
    config = folder / "haproxy.cfg"
    config.write_text(CONFIG.format(port=stack.home.ports.portal, pem=pem, engine=stack.home.ports.engine))

    async def ready() -> bool:
        return await port_answers(stack.home.ports.portal)

    argv = [binary, "-db", "-f", str(config)]
    await stack.start(Command(name="front", argv=argv, environ={}, log=stack.home.log("front"), ready=ready))
    return ssl.create_default_context(cafile=str(folder / "certificate.pem"))


def certificate_in(folder: Path) -> Path:
    """A certificate for 127.0.0.1, signed by itself; returns the file with its key."""
    import ipaddress

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(days=2)
        )
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "certificate.pem").write_bytes(certificate)
    both = folder / "both.pem"
    both.touch(mode=0o600)
    both.write_bytes(certificate + secret)
    return both


async def _handshake(port: int, host: str, context: ssl.SSLContext) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(request("GET", host, "/v1/clock", b""))
    await reader.readuntil(b"\r\n\r\n")
    writer.close()
