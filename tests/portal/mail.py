"""The portal with mail on, and the worker's rounds turned by hand."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from portal.core.accounts.proofs import answer_proofs
from portal.core.accounts.resets import answer_asks
from portal.core.jobs.telling import tell_of_ended
from portal.core.post.sender import send_due
from tests.support.mailbox import Mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.portal.conftest import House

FROM = "El Úmiti <noreply@elumiti.test>"


class Post:
    """A house, its mail server, and the round that joins them."""

    def __init__(self, house: House, box: Mailbox) -> None:
        self.house, self.box = house, box

    def round(self) -> None:
        """Everything that is due now."""
        state = self.house.front.inner.state

        async def go() -> None:
            for one in (answer_asks, answer_proofs, tell_of_ended, send_due):
                while await one(state.pool, state.settings):
                    pass

        self.house.loop.run(go())

    def reader(self, role: str = "proctor", **where: object) -> tuple[str, str]:
        """A person with a proven e-mail: login and e-mail."""
        login = self.house.person(role, **where)  # type: ignore[arg-type]
        address = f"{login}@mail.test"
        self.house.sql("update staff set email = $2, email_proven_at = now() where login = $1", login, address)
        return login, address

    def of(self, address: str) -> list[object]:
        """States of the letters to an address, oldest first."""
        rows = self.house.sql("select state from post where address = $1 order by id", address)
        return [row["state"] for row in rows]


@contextlib.contextmanager
def mail_on(house: House, box: Mailbox | None = None, **settings: str) -> Iterator[Post]:
    """Mail is on inside the block; other tests of the run see it off."""
    box = box or Mailbox()
    state = house.front.inner.state
    before = state.settings
    given = {"mail_url": f"smtp://127.0.0.1:{box.port}", "mail_from": FROM, "portal_url": "http://portal.test/"}
    state.settings = msgspec.structs.replace(before, **{**given, **settings})
    try:
        yield Post(house, box)
    finally:
        state.settings = before
        box.stop()
        # What a test left waiting is not sent by the next one.
        house.sql("delete from post")
