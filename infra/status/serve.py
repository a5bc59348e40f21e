"""A small server for the folder of the status page. It knows no other part: what is in the folder, it serves.

Figures older than a minute are marked as such here, so a page says so without any script.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aiohttp import web

from infra.status.render import LANGUAGES, read

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

OLD_S = 60
KEEP_S = 1.0
FILES = {
    **{name: "text/html" for _, _, name in LANGUAGES},
    "status.json": "application/json",
    "status.css": "text/css",
    "status.js": "text/javascript",
}
HEADERS = {
    # A CDN in front takes a rush of visitors; five seconds more are within the minute.
    "cache-control": "public, max-age=5",
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
NOTHING_YET = """<!doctype html><html lang="kk"><meta charset="utf-8"><meta http-equiv="refresh" content="10"><title>El Úmiti</title>
<h1>Мәлімет әлі жоқ</h1><p>Жүйенің күйі белгісіз. Тест тапсырып отырсаңыз, парақты жаппаңыз: жауаптар телефонда сақтаулы.</p>
<p lang="ru">Данных пока нет. Если Вы пишете тест, не закрывайте страницу: ответы хранятся на телефоне.</p>
<p lang="en">No figures yet. If you are sitting a test, keep the page open: answers are kept on your phone.</p></html>"""


class Folder:
    """The files in memory, looked at once a second at the most, however many visitors come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, tuple[float, bytes | None]] = {}

    def content(self, name: str) -> bytes | None:
        """A file as it is to be sent; None: it is not there."""
        kept = self._kept.get(name)
        if kept is None or time.monotonic() - kept[0] > KEEP_S:
            kept = self._kept[name] = (time.monotonic(), self._read(name))
        return kept[1]

    def _read(self, name: str) -> bytes | None:
        try:
            content = (self._folder / name).read_bytes()
        except OSError:
            return None
        if name.endswith(".html"):
            feed = read(self._folder)
            if feed is None or time.time() - feed.written_ms / 1000 > OLD_S:
                content = content.replace(b"<body ", b'<body class="is-old" data-old="yes" ', 1)
        return content


def application(folder: Path) -> web.Application:
    """The server."""
    files = Folder(folder)

    async def serve(request: web.Request) -> web.Response:
        name = request.path.strip("/") or "index.html"
        if name not in FILES:
            raise web.HTTPNotFound(text="404", headers=HEADERS)
        content = files.content(name)
        if content is None:
            return web.Response(text=NOTHING_YET, status=503, content_type="text/html", charset="utf-8")
        return web.Response(body=content, content_type=FILES[name], charset="utf-8", headers=HEADERS)

    async def ready(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    made = web.Application(middlewares=[_calm])
    # It needs nobody: who serves is ready.
    for path in ("/health", "/ready"):
        made.router.add_get(path, ready)
    made.router.add_get("/{name:.*}", serve)
    return made


@web.middleware
async def _calm(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """No answer tells what serves it."""
    answer = await handler(request)
    answer.headers["server"] = "elumiti"
    return answer
