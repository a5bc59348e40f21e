"""What the doctor says of mail and SMS: «off» is no fault and is said; what is wrong has its remedy and no password."""

from __future__ import annotations

import msgspec
import pytest

from infra.doctor_mail import mail, sms
from infra.local import environment
from infra.settings import PortalSettings, read
from tests.support.mailbox import Mailbox

FROM = "El Úmiti <noreply@elumiti.test>"
WORD = "kept-to-ourselves"


@pytest.fixture
def portal(stack: object) -> PortalSettings:
    return read(PortalSettings, environment(stack.home, "portal"))  # type: ignore[attr-defined]


async def test_off_is_said_and_is_no_fault(portal: PortalSettings) -> None:
    assert mail_line(await mail(portal)) == ("mail is off: nobody is written to", True)
    assert (sms(portal).text, sms(portal).remedy) == ("SMS are off", None)


async def test_a_server_that_takes_us_in_is_well(portal: PortalSettings) -> None:
    box = Mailbox()
    try:
        found = await mail(on(portal, f"smtp://127.0.0.1:{box.port}"))
    finally:
        box.stop()
    assert (found.text, found.remedy) == (f"signs in at 127.0.0.1:{box.port}", None)
    assert box.taken == [], "nothing is sent"


@pytest.mark.parametrize(
    ("url", "sender", "portal_url", "words"),
    [
        (f"smtp://a:{WORD}@127.0.0.1:1", FROM, "http://p/", "127.0.0.1:1 does not take us in"),
        (f"smtp://a:{WORD}/x@mail.kz:{WORD}", FROM, "http://p/", "ELUMITI_MAIL_URL cannot be read"),
        (f"smtp://a:{WORD}@127.0.0.1:1", "El Úmiti", "http://p/", "ELUMITI_MAIL_FROM cannot be read"),
        (f"smtp://a:{WORD}@127.0.0.1:1", FROM, "", "links in mail lead nowhere"),
    ],
)
async def test_what_is_wrong_has_a_remedy(
    portal: PortalSettings, url: str, sender: str, portal_url: str, words: str
) -> None:
    found = await mail(msgspec.structs.replace(on(portal, url), mail_from=sender, portal_url=portal_url))
    assert found.text.startswith(words)
    assert found.remedy
    assert WORD not in found.line()


def test_the_gateway_must_be_told_phone_and_text(portal: PortalSettings) -> None:
    for url, right in (
        ("https://sms.kz/send?to={phone}&text={text}", True),
        ("https://sms.kz/send?to={phone}", False),
        ("http://sms.kz/send?to={phone}&text={text}", False),
    ):
        assert (sms(msgspec.structs.replace(portal, sms_url=url)).remedy is None) is right


def on(portal: PortalSettings, url: str) -> PortalSettings:
    return msgspec.structs.replace(portal, mail_url=url, mail_from=FROM, portal_url="http://portal.test/")


def mail_line(found: object) -> tuple[str, bool]:
    return found.text.split(",")[0], found.remedy is None  # type: ignore[attr-defined]
