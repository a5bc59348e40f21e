"""What `elumiti doctor` asks of the mail server and the SMS gateway. Nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiosmtplib

from infra.doctor_parts import Finding
from infra.mail import mail_server, sender

if TYPE_CHECKING:
    from infra.settings import PortalSettings


async def mail(settings: PortalSettings) -> Finding:
    """Whether the server lets us in; «off» is no fault, and is said."""
    if not settings.mail_url:
        told = "mail is off: nobody is written to, and a forgotten password is set by the super-admin"
        return Finding("mail", told, None)
    try:
        server = mail_server(settings.mail_url)
    except ValueError as error:
        return Finding("mail", "ELUMITI_MAIL_URL cannot be read", f"Please {error}.")
    try:
        sender(settings.mail_from)
    except ValueError as error:
        return Finding("mail", "ELUMITI_MAIL_FROM cannot be read", f"Please {error}.")
    if not settings.portal_url:
        return Finding("mail", "links in mail lead nowhere", "Set ELUMITI_PORTAL_URL.")
    try:
        async with server.client(10):
            pass
    except aiosmtplib.SMTPAuthenticationError:
        return Finding("mail", f"{server.place} refuses login or password", "Mend both in ELUMITI_MAIL_URL.")
    except (aiosmtplib.SMTPException, OSError) as error:
        words = " ".join((str(error) or type(error).__name__).split())[:200].rstrip(".")
        remedy = "Start it, or mend ELUMITI_MAIL_URL; what is to be sent waits in the outbox."
        return Finding("mail", f"{server.place} does not take us in ({words})", remedy)
    return Finding("mail", f"signs in at {server.place}", None)


def sms(settings: PortalSettings) -> Finding:
    """Whether the gateway's setting is whole; it is not called, for a call costs."""
    if not settings.sms_url:
        return Finding("sms", "SMS are off", None)
    split = urlsplit(settings.sms_url)
    missing = [hole for hole in ("{phone}", "{text}") if hole not in split.query]
    if split.scheme != "https" or not split.hostname or missing:
        remedy = "Write it as https://HOST/PATH?to={phone}&text={text}&key={key}."
        return Finding("sms", "ELUMITI_SMS_URL is no https address with {phone} and {text}", remedy)
    return Finding("sms", f"go to {split.hostname} (not called: a call costs)", None)
