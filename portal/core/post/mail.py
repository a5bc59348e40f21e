"""A letter as mail, over SMTP. Plain text first; the HTML part says the same and escapes."""

from __future__ import annotations

from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from typing import TYPE_CHECKING

import aiosmtplib

from infra.mail import mail_server, sender
from portal.core.i18n import N_, in_language, t
from portal.core.post.outbox import Outcome
from portal.core.ui.pages import render

if TYPE_CHECKING:
    from datetime import datetime

    from infra.settings import PortalSettings
    from portal.core.post.letters import Written

OFF = N_("Mail is off.")
UNREADABLE = N_("The settings of mail cannot be read; `elumiti doctor` says what is wrong.")
FOOT = N_("You get this because you have a login at El Úmiti. Nobody reads answers to this address.")


def message(written: Written, address: str, mail_from: str, number: int, made_at: datetime) -> EmailMessage:
    """The message of a row of the outbox; the same row is the same Message-ID, so that a repeat shows as one."""
    author = sender(mail_from)
    with in_language(written.language):  # type: ignore[arg-type]
        foot = t(FOOT)
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = author
    made["To"] = Address(addr_spec=address)
    made["Subject"] = written.subject
    made["Date"] = made_at
    made["Message-ID"] = f"<post-{number}.{int(made_at.timestamp())}@{author.domain}>"
    made["Auto-Submitted"] = "auto-generated"
    parts = [*written.lines, *([f"{written.button}: {written.link}"] if written.link else []), f"— \n{foot}"]
    made.set_content("\n\n".join(parts) + "\n", cte="quoted-printable")
    made.add_alternative(render("letter.html", letter=written, foot=foot), subtype="html", cte="quoted-printable")
    # Last: making a second part moves every Content-… header into the first.
    made["Content-Language"] = written.language
    return made


async def send(written: Written, address: str, settings: PortalSettings, number: int, made_at: datetime) -> Outcome:
    """One try. What the server refuses for good (5xx of the receiver or the letter) is given up at once."""
    if not settings.mail_url:
        return Outcome("given_up", OFF)
    try:
        server = mail_server(settings.mail_url)
        letter = message(written, address, settings.mail_from, number, made_at)
    except ValueError:
        return Outcome("failed", UNREADABLE)
    try:
        async with server.client() as client:
            await client.send_message(letter)
    except aiosmtplib.SMTPRecipientsRefused as error:
        return _refused(error.recipients[0])
    except aiosmtplib.SMTPDataError as error:
        return _refused(error)
    except (aiosmtplib.SMTPException, OSError) as error:
        return Outcome("failed", _words(error))
    return Outcome("sent")


def _refused(error: aiosmtplib.SMTPResponseException) -> Outcome:
    return Outcome("given_up" if error.code >= 500 else "failed", _words(error))


def _words(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return " ".join(f"{error.code} {error.message}".split())
    return " ".join((str(error) or type(error).__name__).split())
