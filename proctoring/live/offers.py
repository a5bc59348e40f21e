"""What an offer may contain: one video in VP8 and nothing else. Sound is refused, whatever else the offer says (SAFETY R4)."""

from __future__ import annotations

import base64
import hmac
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.settings import LiveSettings

MOST_BYTES = 16_384
VIDEO = re.compile(r"^m=video \d+ UDP/TLS/RTP/SAVPF ([\d ]+)$")
VP8 = re.compile(r"^a=rtpmap:(\d+) VP8/90000$", re.IGNORECASE)
OF_A_FORMAT = re.compile(r"^a=(?:rtpmap|fmtp|rtcp-fb):(\d+) ")
# A rate that the receiver estimates would need header extensions, and packets go through without any.
FEEDBACK = re.compile(r"^a=rtcp-fb:\d+ (?:nack|nack pli|ccm fir)$")
CANDIDATE = re.compile(r"^a=candidate:\S+ \d+ \S+ \d+ (\S+) ")
# We never knock at an address that an offer names: it may be one of our own network, or a third party's. A side finds us
# (ours are in the answer), and where its packets come from is where ours go to. The list of its addresses stays open:
# Firefox says that it is complete, and with none in it nobody would be waited for.
NAMES_ADDRESSES = ("a=candidate:", "a=end-of-candidates", "a=remote-candidates:", "a=rtcp:")


class OfferError(Exception):
    """The offer is refused; the code says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def narrowed(sdp: str) -> tuple[str, int]:
    """The offer with VP8 alone, without header extensions and without any address to send to.

    With it the payload type of VP8. OfferError: there is sound in it, or it is not one video.
    """
    if len(sdp) > MOST_BYTES:
        raise OfferError("offer-invalid")
    lines = sdp.splitlines()
    media = [line for line in lines if line.startswith("m=")]
    if any(line.startswith("m=audio") for line in media):
        raise OfferError("sound-refused")
    video = VIDEO.match(media[0]) if len(media) == 1 else None
    offered = {found[1] for line in lines if (found := VP8.match(line))}
    wanted = next((number for number in video[1].split() if number in offered), None) if video else None
    if wanted is None:
        raise OfferError("offer-invalid")
    kept = [
        f"m=video 9 UDP/TLS/RTP/SAVPF {wanted}" if line.startswith("m=") else line
        for line in lines
        if _stays(line, wanted)
    ]
    return "\r\n".join(kept) + "\r\n", int(wanted)


def _stays(line: str, wanted: str) -> bool:
    if line.startswith(("a=extmap", "a=ssrc", "a=rid", "a=simulcast", *NAMES_ADDRESSES)):
        return False
    format_ = OF_A_FORMAT.match(line)
    if format_ is None:
        return True
    return format_[1] == wanted and (not line.startswith("a=rtcp-fb") or FEEDBACK.match(line) is not None)


def answered(sdp: str, kbit: int, public_address: str) -> str:
    """The answer with the rate that the sender is to keep, and the address that the world knows this machine by."""
    out: list[str] = []
    in_video = False
    for line in sdp.splitlines():
        in_video = in_video or line.startswith("m=")
        found = CANDIDATE.match(line)
        if found and public_address:
            # On a private network several addresses of this machine become the same public one.
            out.append(line.replace(f" {found[1]} ", f" {public_address} ", 1))
        else:
            out.append(line)
        if in_video and line.startswith("c="):
            out.append(f"b=AS:{kbit}")
    return "\r\n".join(dict.fromkeys(out)) + "\r\n"


def ice_servers(settings: LiveSettings, view: int, now_s: int) -> Sequence[dict[str, object]]:
    """What a browser is told: STUN as it is, TURN with a name and password that hold for minutes (TURN's REST form)."""
    told: list[dict[str, object]] = []
    for url in settings.live_ice_servers:
        if url.startswith("turn") and settings.live_turn_key:
            name = f"{now_s + settings.live_most_s + 300}:{view}"
            # SHA-1 is what coturn and the draft ask for; it is a keyed MAC here.
            mac = hmac.digest(settings.live_turn_key.encode(), name.encode(), "sha1")
            told.append({"urls": url, "username": name, "credential": base64.b64encode(mac).decode()})
        else:
            told.append({"urls": url})
    return told
