"""The player's own files: a few dozen kilobytes, read once, compressed once, served from memory."""

from __future__ import annotations

import functools
import gzip
import hashlib
import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.problems import Problem

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from engine.worker import Worker

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src {connect}; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types elumiti"
)
SECURITY = [
    ("x-content-type-options", "nosniff"),
    # Browsers heed it over HTTPS alone; a school's own server without a certificate goes on.
    ("strict-transport-security", "max-age=31536000"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "camera=(self), microphone=(), geolocation=(), display-capture=(self)"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
]
FOR_EVER = "public, max-age=31536000, immutable"
# The page, the worker and the web manifest keep their names: they are asked for anew, cheaply, by their tag.
ASK_AGAIN = "no-cache"
TEXTS = {".html", ".js", ".css", ".json", ".svg", ".webmanifest", ".txt"}


class PlayerFile(msgspec.Struct, frozen=True):
    """A file ready to be sent."""

    plain: bytes
    gzipped: bytes | None
    headers: list[tuple[str, str]]
    tag: str


async def serve(worker: Worker, scope: Scope, proto: HTTPProtocol) -> None:
    """The page at `/`, everything else by its path; pages of the way inside the test are the page itself."""
    if scope.method not in {"GET", "HEAD"}:
        if scope.path == "/":
            raise Problem("method-not-allowed", allow="GET, HEAD")
        raise Problem("not-found")
    files = player_files(worker.settings.player_dir, (worker.settings.pictures_url, *worker.settings.live_urls))
    path = "index.html" if scope.path == "/" else scope.path.lstrip("/")
    file = files.get(path)
    if file is None:
        raise Problem("not-found")
    if file.tag in (scope.headers.get("if-none-match") or ""):
        proto.response_empty(304, file.headers)
        return
    body, headers = file.plain, file.headers
    if file.gzipped is not None and "gzip" in (scope.headers.get("accept-encoding") or ""):
        body, headers = file.gzipped, [*headers, ("content-encoding", "gzip")]
    if scope.method == "HEAD":
        proto.response_empty(200, [*headers, ("content-length", str(len(body)))])
    else:
        proto.response_bytes(200, headers, body)


@functools.cache
def player_files(folder: str, others: tuple[str, ...]) -> dict[str, PlayerFile]:
    """All files of the built player by their path. `others`: the ingest and the forwarders, which it may speak with."""
    root = Path(folder)
    if not folder or not root.is_dir():
        return {}
    csp = CSP.format(connect=" ".join(("'self'", *filter(None, others))))
    return {str(path.relative_to(root)): _read(path, root, csp) for path in sorted(root.rglob("*")) if path.is_file()}


def _read(path: Path, root: Path, csp: str) -> PlayerFile:
    plain = path.read_bytes()
    hashed = path.relative_to(root).parts[0] == "assets"
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if path.suffix == ".webmanifest":
        kind = "application/manifest+json"
    if path.suffix in TEXTS and path.suffix != ".json":
        kind += "; charset=utf-8"
    gzipped = gzip.compress(plain, 9, mtime=0) if path.suffix in TEXTS else None
    tag = f'"{hashlib.sha256(plain).hexdigest()[:16]}"'
    headers = [
        ("content-type", kind),
        ("cache-control", FOR_EVER if hashed else ASK_AGAIN),
        ("etag", tag),
        ("vary", "accept-encoding"),
        ("content-security-policy", csp),
        *SECURITY,
    ]
    return PlayerFile(plain, gzipped, headers, tag)
