"""A real mail server on this machine: what it took, and how it is told to refuse, to be away, to ask for a password."""

from __future__ import annotations

import email
import re
from email import policy
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from infra.parts.unused import unused_ports

if TYPE_CHECKING:
    import ssl
    from email.message import EmailMessage

LINK = re.compile(r"http://portal\.test(/\S+)")


class Mailbox:
    """Starts on a free port and keeps it, so that it can go away and come back."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, password: str = "") -> None:
        self.taken: list[EmailMessage] = []
        self.envelopes: list[list[str]] = []
        self.answer = ""
        self.refuses = ""
        self._tls, self._password = tls, password
        self.port = unused_ports(1)[0]
        self._controller: Controller | None = None
        self.start()

    def start(self) -> None:
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            ssl_context=self._tls,
            auth_required=bool(self._password),
            authenticator=self._judge if self._password else None,
            auth_require_tls=False,
        )
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def _judge(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        fits = isinstance(given, LoginPassword) and given.password == self._password.encode()
        return AuthResult(success=fits, handled=fits)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 (the server's own name)
        if self.refuses:
            return self.refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (the server's own name)
        if self.answer:
            return self.answer
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        self.taken.append(message)  # type: ignore[arg-type]
        self.envelopes.append(list(envelope.rcpt_tos))
        return "250 OK"


def text_of(message: EmailMessage) -> str:
    """The plain part."""
    part = message.get_body(("plain",))
    assert part is not None
    return part.get_content()


def html_of(message: EmailMessage) -> str:
    """The HTML part."""
    part = message.get_body(("html",))
    assert part is not None
    return part.get_content()


def link_of(message: EmailMessage) -> str:
    """The path that the letter leads to."""
    found = LINK.search(text_of(message))
    assert found, text_of(message)
    return found[1]
