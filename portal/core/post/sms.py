"""A letter as SMS, through a gateway that takes a POST. Its address is the operator's own setting."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from portal.core.i18n import N_
from portal.core.post.outbox import Outcome

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.post.letters import Written

OFF = N_("SMS are off.")
LIMIT_S = 15.0
MOST_LETTERS = 300


def text_of(written: Written) -> str:
    """The lines, and the address where there is one; six parts of an SMS at the most."""
    return " ".join([*written.lines, *([written.link] if written.link else [])])[:MOST_LETTERS]


def request_of(written: Written, phone: str, settings: PortalSettings) -> tuple[str, dict[str, str], dict[str, str]]:
    """Address, form and headers. What stands after the ? goes in the body: addresses are logged on their way."""
    split = urlsplit(settings.sms_url)
    holes = {"{phone}": phone, "{text}": text_of(written), "{key}": settings.sms_key}
    form = {
        name: holes.get(value, value)
        for name, _, value in (pair.partition("=") for pair in split.query.split("&") if pair)
    }
    headers = {} if "{key}" in split.query or not settings.sms_key else {"Authorization": f"Bearer {settings.sms_key}"}
    return urlunsplit((split.scheme, split.netloc, split.path, "", "")), form, headers


async def send(written: Written, phone: str, settings: PortalSettings) -> Outcome:
    """One try; a gateway that answers 4xx refuses for good, save when it asks us to wait."""
    if not settings.sms_url:
        return Outcome("given_up", OFF)
    url, form, headers = request_of(written, phone, settings)
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LIMIT_S)) as client,
            client.post(url, data=form, headers=headers, allow_redirects=False) as answer,
        ):
            status = answer.status
            # What a gateway says is shown to staff; it says it shortly.
            said = " ".join((await answer.content.read(300)).decode(errors="replace").split())
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return Outcome("failed", type(error).__name__)
    if 200 <= status < 300:
        return Outcome("sent")
    lasting = 300 <= status < 500 and status not in {408, 425, 429}
    return Outcome("given_up" if lasting else "failed", f"{status} {said}")
