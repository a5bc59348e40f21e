"""The mail server as one setting names it: where it is, how the line to it is secured, who signs in there."""

from __future__ import annotations

from email.headerregistry import Address
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib
import msgspec

from infra.local import LOOPBACK

PORTS = {"smtp": 587, "smtps": 465}
LIMIT_S = 20.0


class MailServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where mail goes. `tls`: from the first byte; else by STARTTLS, which only this very machine may do without."""

    host: str
    port: int
    tls: bool
    login: str
    password: str

    @property
    def place(self) -> str:
        """Host and port, never the password."""
        return f"{self.host}:{self.port}"

    def client(self, limit_s: float = LIMIT_S) -> aiosmtplib.SMTP:
        """A client that connects, secures the line and signs in when it is entered."""
        # None: STARTTLS where the server has it; a server elsewhere must have it.
        starttls = None if self.host in LOOPBACK else True
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            use_tls=self.tls,
            start_tls=False if self.tls else starttls,
            username=self.login or None,
            password=self.password or None,
            timeout=limit_s,
        )


def mail_server(url: str) -> MailServer:
    """The setting `mail_url` as read; a ValueError never repeats it, for it holds a password."""
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError:
        split, port = urlsplit(""), None
    if split.scheme not in PORTS or not split.hostname or split.path.strip("/") or split.query:
        raise ValueError("write it as smtp://LOGIN:PASSWORD@HOST:587 or smtps://LOGIN:PASSWORD@HOST:465")
    return MailServer(
        host=split.hostname,
        port=port or PORTS[split.scheme],
        tls=split.scheme == "smtps",
        login=unquote(split.username or ""),
        password=unquote(split.password or ""),
    )


def sender(text: str) -> Address:
    """The setting `mail_from` as read: a name and an address, or an address alone."""
    name, plain = parseaddr(text)
    if "@" not in plain or any(not letter.isprintable() for letter in text):
        raise ValueError("write it as «El Úmiti <noreply@example.kz>»")
    return Address(display_name=name, addr_spec=plain)
