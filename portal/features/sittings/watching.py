"""What proctoring asks of a pupil's phone: reading the choice, and the estimate that its author is shown. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from portal.core.i18n import N_
from portal.features.sittings.structs import Watch

if TYPE_CHECKING:
    from portal.core.forms import Form

WATCHES = {"": N_("Off"), "snapshots": N_("Pictures now and then")}
RHYTHMS = (10, 20, 30, 60)
USUAL_S = 30
USUAL_DAYS = 90
# The photo of the face is at most so many snapshots large; the face check is fetched once, and only by phones that can.
PHOTO = 4
FACE_CHECK_BYTES = 290_000
# Of the requests around the pictures, each.
REQUEST_BYTES = 600
# An open camera and what its pictures pass through: the sensor takes hundreds of milliwatts (LiKamWa et al., MobiSys 2013),
# the rest of the way more than that, whatever the rate (PIMRC 2014, 7136502): one watt is our round upper figure.
CAMERA_W = 1.0
# 3 000 mAh at 3.85 V: an inexpensive phone.
BATTERY_WH = 11.5


class Estimate(msgspec.Struct, frozen=True):
    """For one pupil: megabytes sent and fetched, and per cent of a battery."""

    megabytes: float
    battery_percent: int


def read_watch(form: Form) -> Watch | None:
    """The choice; None: not proctored."""
    if not form.choice("watch", WATCHES, ""):
        return None
    return Watch(
        every_s=form.integer("watch_every_s", least=RHYTHMS[0], most=RHYTHMS[-1], default=USUAL_S),
        identity=form.ticked("watch_identity"),
        screen=form.ticked("watch_screen"),
        keep_days=form.integer("watch_keep_days", least=1, most=365, default=USUAL_DAYS),
    )


def watch_values(watch: Watch | None) -> dict[str, str]:
    """As the form shows it."""
    if watch is None:
        return {"watch": "", "watch_every_s": str(USUAL_S), "watch_keep_days": str(USUAL_DAYS), "watch_identity": "1"}
    return {
        "watch": "snapshots",
        "watch_every_s": str(watch.every_s),
        "watch_keep_days": str(watch.keep_days),
        "watch_identity": "1" if watch.identity else "",
        "watch_screen": "1" if watch.screen else "",
    }


def estimate(watch: Watch, duration_s: int) -> Estimate:
    """At most: pictures = duration ÷ rhythm, each as large as it may be; battery = hours × watts ÷ watt-hours."""
    pictures = duration_s / watch.every_s * (2 if watch.screen else 1)
    size = pictures * (watch.most_bytes + REQUEST_BYTES) + FACE_CHECK_BYTES
    if watch.identity:
        size += PHOTO * watch.most_bytes
    return Estimate(round(size / 1e6, 1), round(100 * duration_s / 3600 * CAMERA_W / BATTERY_WH))


def rhythms(duration_s: int = 3600) -> list[tuple[int, float]]:
    """Each rhythm with its megabytes of `duration_s`."""
    plain = Watch(every_s=USUAL_S, identity=True, screen=False, keep_days=USUAL_DAYS)
    return [(s, estimate(msgspec.structs.replace(plain, every_s=s), duration_s).megabytes) for s in RHYTHMS]
