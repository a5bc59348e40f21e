"""A proctored sitting with children, pictures and events, and a look service that answers as the real one does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
import pytest
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.portal.conftest import House, Scene

PIXEL = b"\xff\xd8\xff\xe0 a picture"


class Looker:
    """Keeps who asked for which picture."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    async def take(self, request: web.Request) -> web.Response:
        """One picture."""
        self.asked.append((request.path, request.query["by"], request.headers["authorization"]))
        if request.match_info["seq"] == "404":
            raise web.HTTPNotFound
        return web.Response(body=PIXEL, content_type="image/jpeg")


@pytest.fixture
def looker(house: House) -> Iterator[Looker]:
    """The look service at its address in the portal's settings."""
    made = Looker()
    app = web.Application()
    app.router.add_get("/v1/look/{sitting}/{attempt}/{seq}", made.take)
    runner = web.AppRunner(app)

    async def start() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner.addresses[0][1]

    state = house.front.inner.state
    before = state.settings
    url = f"http://127.0.0.1:{house.loop.run(start())}"
    state.settings = msgspec.structs.replace(before, proctoring_internal_url=url, look_key="look")
    yield made
    state.settings = before
    house.loop.run(runner.cleanup())


@pytest.fixture
def watched(house: House, make_sitting: Callable[..., Scene]) -> Scene:
    """Three children; the first has the highest score."""
    scene = make_sitting()
    house.sql("insert into sitting_watch (sitting_id) values ($1)", scene.id)
    house.sql("select make_watch_partition($1)", scene.id)
    now = int(time.time() * 1000)
    for place, attempt in enumerate(scene.pupils):
        house.sql(
            """
            insert into picture (sitting_id, attempt_id, seq, kind, taken_ms, received_ms, segment_id, byte_offset,
                                 byte_length, key_id)
            values ($1, $2, 1, 'snapshot', $3, $3, gen_random_uuid(), 0, 9, '\\x0011223344556677')
            """,
            *(scene.id, attempt, now - 5000),
        )
        house.sql(
            "insert into watch_score (attempt_id, sitting_id, score, reasons) values ($1, $2, $3, $4)",
            *(
                attempt,
                scene.id,
                float(60 - 25 * place),
                [{"kind": "tab-left", "times": 4, "seconds": 38, "weight": 12}],
            ),
        )
    house.sql(
        "insert into watch_event (sitting_id, attempt_id, seq, kind, at_ms, received_ms) values ($1, $2, 1, 'tab-left', $3, $3)",
        *(scene.id, scene.pupils[0], now - 4000),
    )
    return scene
