"""The authenticator app of staff (RFC 6238): six digits of a secret that the phone and we know.

A code is taken once; after five wrong ones the app rests for five minutes, each further one twice as long. Whoever
knows the password can let it rest, and learns nothing by it: a security key still opens the door.
"""

from __future__ import annotations

import base64
import hmac
import io
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import qrcode
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from pyotp import random_base32
from pyotp.totp import TOTP
from qrcode.image.svg import SvgPathFillImage

from infra.local import decode_key

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts.structs import Actor
    from portal.core.db import Connection

STEP_S = 30
MISSES = 5
REST = timedelta(minutes=5)
LONGEST_REST = timedelta(hours=1)


class Enrolment(msgspec.Struct, frozen=True):
    """What a phone has to learn: as a picture, and to type."""

    picture: str
    secret: str


async def has_app(db: Connection, staff_id: int) -> bool:
    """Whether the person has an app whose code fitted once."""
    return bool(
        await db.fetchval("select 1 from staff_totp where staff_id = $1 and confirmed_at is not null", staff_id)
    )


async def enrolment(db: Connection, actor: Actor, settings: PortalSettings) -> Enrolment:
    """The secret that waits for its first code; drawn if there is none, the same until then."""
    drawn = random_base32()
    sealed = await db.fetchval(
        """
        insert into staff_totp (staff_id, secret) values ($1, $2)
        on conflict (staff_id) do update set secret = staff_totp.secret
        returning secret
        """,
        *(actor.staff_id, _box(settings).encrypt(drawn.encode())),
    )
    secret = _box(settings).decrypt(sealed).decode()
    address = TOTP(secret).provisioning_uri(name=actor.login, issuer_name="El Úmiti")
    drawing = io.BytesIO()
    qrcode.make(address, image_factory=SvgPathFillImage, border=2, box_size=12).save(drawing)
    picture = "data:image/svg+xml;base64," + base64.b64encode(drawing.getvalue()).decode()
    return Enrolment(picture, " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)))


async def fits(db: Connection, staff_id: int, settings: PortalSettings, code: str, now: datetime) -> bool:
    """Whether the code is the app's of this half minute or the one before or after; a miss is counted.

    Call it in a transaction that is kept also when it says no.
    """
    row = await db.fetchrow(
        "select secret, last_step, misses, rests_until from staff_totp where staff_id = $1 for update", staff_id
    )
    if row is None or (row["rests_until"] is not None and row["rests_until"] > now):
        return False
    try:
        app = TOTP(_box(settings).decrypt(row["secret"]).decode())
    except (CryptoError, ValueError):
        # Sealed with a factor key that was changed since, or nothing at all: no code of it can be told.
        return False
    typed, present = "".join(code.split()), int(now.timestamp()) // STEP_S
    for step in range(max(present - 1, row["last_step"] + 1), present + 2):
        if hmac.compare_digest(app.at(step * STEP_S).encode(), typed.encode()):
            await db.execute(
                """
                update staff_totp
                set last_step = $2, misses = 0, rests_until = null, confirmed_at = coalesce(confirmed_at, $3)
                where staff_id = $1
                """,
                *(staff_id, step, now),
            )
            return True
    misses = row["misses"] + 1
    rest = min(LONGEST_REST, REST * 2 ** min(misses - MISSES, 10)) if misses >= MISSES else None
    await db.execute(
        "update staff_totp set misses = least($2, 1000), rests_until = $3 where staff_id = $1",
        *(staff_id, misses, now + rest if rest else None),
    )
    return False


async def remove_app(db: Connection, staff_id: int) -> bool:
    """Forget the app; False if there was none."""
    done = await db.fetchval("delete from staff_totp where staff_id = $1 returning confirmed_at is not null", staff_id)
    return bool(done)


def _box(settings: PortalSettings) -> SecretBox:
    return SecretBox(decode_key(settings.factor_key))
