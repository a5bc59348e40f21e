"""GET /v1/bundles/{name}: immutable files, cached for ever by everybody."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

from engine.problems import Problem

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from engine.worker import Worker

FOR_EVER = "public, max-age=31536000, immutable"
# Eighteen digits: int() of some thousands of them is an error of its own.
ONE_RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]{0,18})-([0-9]{0,18})\s*")
NAME = re.compile(r"[0-9a-f]{64}")
compressed: dict[str, bytes] = {}


async def serve(worker: Worker, scope: Scope, proto: HTTPProtocol) -> None:
    """The file; 206 for one range, 304 for who has it."""
    if scope.method not in {"GET", "HEAD"}:
        raise Problem("method-not-allowed", allow="GET, HEAD")
    name = scope.path.rpartition("/")[2]
    found = find(worker, name)
    if found is None and NAME.fullmatch(name) and name not in worker.roster.closed_blobs:
        await worker.catch_up()
        found = find(worker, name)
    if found is None:
        raise Problem("bundle-unknown")
    body, is_manifest = found
    headers = [
        ("cache-control", FOR_EVER),
        ("etag", f'"{name}"'),
        ("content-type", "application/json" if is_manifest else "application/octet-stream"),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
    ]
    if name in (scope.headers.get("if-none-match") or ""):
        proto.response_empty(304, headers)
        return
    wanted = scope.headers.get("range")
    status = 200
    if wanted is not None:
        first, last = one_range(wanted, len(body))
        headers.append(("content-range", f"bytes {first}-{last}/{len(body)}"))
        body, status = body[first : last + 1], 206
    elif is_manifest and "gzip" in (scope.headers.get("accept-encoding") or ""):
        # Encrypted files are noise to a compressor; they were compressed before.
        if name not in compressed:
            compressed[name] = gzip.compress(body, 9, mtime=0)
        body = compressed[name]
        headers += [("content-encoding", "gzip"), ("vary", "accept-encoding")]
    if scope.method == "HEAD":
        proto.response_empty(status, [*headers, ("content-length", str(len(body)))])
    else:
        proto.response_bytes(status, headers, body)


def find(worker: Worker, name: str) -> tuple[bytes, bool] | None:
    """A file's bytes, and whether it is a manifest. A blob whose code leaked is not there any more."""
    blob = worker.bundles.blobs.get(name)
    if blob is not None and name not in worker.roster.closed_blobs:
        return blob, False
    return worker.bundles.files.get(name)


def one_range(header: str, size: int) -> tuple[int, int]:
    """First and last byte of a `Range` header with one range."""
    found = ONE_RANGE.fullmatch(header)
    if found is None or not (found[1] or found[2]):
        raise Problem("range-invalid", size=size)
    if not found[1]:
        start, end = max(0, size - int(found[2])), size - 1
    else:
        start, end = int(found[1]), min(int(found[2] or size), size - 1)
    if start >= size or end < start:
        raise Problem("range-invalid", size=size)
    return start, end
