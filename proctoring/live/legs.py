"""One side's connection, and the way of a packet from one side to the other: unsealed, renumbered, sealed for the other.

aiortc makes ICE, DTLS and the answer. Its own receiver would decode each frame and its sender encode it again (4.2 % of a
core a stream); so neither is ever started, and the transport's two handlers are ours. They are private names of aiortc:
its version is pinned, and tests/proctoring/live fails if one of them is gone.
"""
# ruff: noqa: SLF001
# pyright: reportPrivateUsage=false

from __future__ import annotations

import collections
import random
import time
from typing import TYPE_CHECKING

import structlog
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpByePacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
)

from proctoring.live.offers import OfferError, answered, narrowed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiortc.rtcrtpparameters import RTCRtpReceiveParameters, RTCRtpSendParameters
    from aiortc.rtp import AnyRtcpPacket

    from infra.settings import LiveSettings

log = structlog.get_logger()
# Packets that a viewer may ask for again: some five seconds of a small picture.
KEPT = 128
HEADER_BYTES = 12
KEY_FRAME_EVERY_S = 0.5


class Leg:
    """A peer connection of one side. `heard` and `left` are the view's; packets come by `on_rtp` and `on_rtcp`."""

    def __init__(self, settings: LiveSettings) -> None:
        self._settings = settings
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.payload_type = 0
        self.ssrc = random.getrandbits(32)
        self.connected = False
        self.on_rtp: Callable[[bytes], Awaitable[None]] | None = None
        self.on_rtcp: Callable[[list[AnyRtcpPacket]], Awaitable[None]] | None = None
        self.on_connected: Callable[[], Awaitable[None]] | None = None
        self.on_gone: Callable[[], None] | None = None

    async def answer(self, offer: str, direction: str) -> str:
        """Take the offer of a phone (`recvonly`) or a viewer (`sendonly`); the answer's SDP."""
        sdp, self.payload_type = narrowed(offer)
        pc = self.pc
        try:
            await pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
            (transceiver,) = pc.getTransceivers()
            if transceiver._offerDirection not in {direction, "sendrecv"}:
                raise OfferError("offer-invalid")
            transceiver.direction = direction
            # Never started: no decoder's thread, no encoder. What is left of them tells us that DTLS is up.
            transceiver.receiver.receive = self._began
            transceiver.sender.send = self._began
            transceiver.sender._ssrc = self.ssrc
            self._transport = transceiver.receiver.transport
            self._transport._handle_rtp_data = self._rtp
            self._transport._handle_rtcp_data = self._rtcp
            pc.on("connectionstatechange", self._changed)
            await pc.setLocalDescription(await pc.createAnswer())
        except OfferError:
            raise
        except Exception as error:
            # Whatever aiortc cannot make of a stranger's offer is the offer's fault.
            log.info("live.offer.refused", reason=f"{type(error).__name__}: {error}"[:200])
            raise OfferError("offer-invalid") from error
        return answered(pc.localDescription.sdp, self._settings.live_kbit, self._settings.live_public_address)

    async def close(self) -> None:
        """Say so to the other side, and be gone."""
        self.connected = False
        self.on_gone = None
        await self.pc.close()

    async def send(self, plain: bytes) -> None:
        """Seal one packet for this side; one that cannot go now is lost, as packets are."""
        if self.connected:
            try:
                await self._transport._send_rtp(plain)
            except (ConnectionError, OSError):
                self.connected = False

    async def _began(self, parameters: RTCRtpReceiveParameters | RTCRtpSendParameters) -> None:  # noqa: ARG002
        self.connected = True
        if self.on_connected is not None:
            await self.on_connected()

    def _changed(self) -> None:
        if self.pc.connectionState in {"closed", "failed"} and self.on_gone is not None:
            self.connected = False
            self.on_gone()

    async def _rtp(self, data: bytes, arrival_time_ms: int) -> None:  # noqa: ARG002 (aiortc calls it so)
        if self.on_rtp is not None:
            await self.on_rtp(data)

    async def _rtcp(self, data: bytes) -> None:
        if self.on_rtcp is None:
            return
        try:
            packets = RtcpPacket.parse(data)
        except ValueError:
            return
        await self.on_rtcp(packets)


class Path:
    """From a phone's leg to a viewer's: pictures one way, what the viewer misses the other way."""

    def __init__(self, most_bytes_s: int) -> None:
        self.phone: Leg | None = None
        self.viewer: Leg | None = None
        self.packets = self.dropped = self.repeated = 0
        self.came = self.heard = time.monotonic()
        self._most_bytes_s = most_bytes_s
        self._second, self._bytes = 0, 0
        self._source: bytes = b""
        self._kept: collections.OrderedDict[int, bytes] = collections.OrderedDict()
        self._asked = 0.0

    async def forward(self, data: bytes) -> None:
        """One packet of the phone's picture; everything else that it may send is dropped."""
        phone, viewer = self.phone, self.viewer
        if phone is None or len(data) <= HEADER_BYTES or data[1] & 0x7F != phone.payload_type:
            self.dropped += 1
            return
        self._source = self._source or data[8:12]
        now = time.monotonic()
        if int(now) != self._second:
            self._second, self._bytes = int(now), 0
        self._bytes += len(data)
        if data[8:12] != self._source or self._bytes > self._most_bytes_s:
            self.dropped += 1
            return
        self.came = now
        if viewer is None or not viewer.connected:
            return
        marked = (data[1] & 0x80) | viewer.payload_type
        plain = b"".join((data[:1], bytes((marked,)), data[2:8], viewer.ssrc.to_bytes(4, "big"), data[12:]))
        self._kept[int.from_bytes(data[2:4], "big")] = plain
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        self.packets += 1
        await viewer.send(plain)

    async def from_phone(self, packets: list[AnyRtcpPacket]) -> None:
        """The sender's clock goes through, so that the viewer's reports come back to it and it keeps its rate."""
        viewer, phone = self.viewer, self.phone
        for packet in packets:
            if isinstance(packet, RtcpSrPacket) and viewer is not None:
                await viewer.send(bytes(RtcpSrPacket(ssrc=viewer.ssrc, sender_info=packet.sender_info)))
            elif isinstance(packet, RtcpByePacket) and phone is not None and phone.on_gone is not None:
                phone.on_gone()

    async def from_viewer(self, packets: list[AnyRtcpPacket]) -> None:
        """Reports, lost packets, a wish for a whole frame: told to the phone in its own numbers."""
        viewer, phone = self.viewer, self.phone
        self.heard = time.monotonic()
        if viewer is None:
            return
        for packet in packets:
            if isinstance(packet, RtcpRrPacket):
                await self._report(packet, viewer, phone)
            elif isinstance(packet, RtcpPsfbPacket) and packet.fmt in {RTCP_PSFB_PLI, RTCP_PSFB_FIR}:
                await self.ask_whole_frame()
            elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
                await self._again(packet.lost, viewer, phone)

    async def ask_whole_frame(self) -> None:
        """A viewer that has just come can show nothing before the next whole frame."""
        now = time.monotonic()
        if self.phone is None or not self._source or now - self._asked < KEY_FRAME_EVERY_S:
            return
        self._asked = now
        media = int.from_bytes(self._source, "big")
        await self.phone.send(bytes(RtcpPsfbPacket(RTCP_PSFB_PLI, self.phone.ssrc, media)))

    async def _report(self, packet: RtcpRrPacket, viewer: Leg, phone: Leg | None) -> None:
        ours = [report for report in packet.reports if report.ssrc == viewer.ssrc]
        if phone is None or not self._source or not ours:
            return
        for report in ours:
            report.ssrc = int.from_bytes(self._source, "big")
        await phone.send(bytes(RtcpRrPacket(ssrc=phone.ssrc, reports=ours)))

    async def _again(self, lost: list[int], viewer: Leg, phone: Leg | None) -> None:
        """From what is kept; what never came here is asked of the phone."""
        absent: list[int] = []
        for number in lost[:KEPT]:
            plain = self._kept.get(number)
            if plain is None:
                absent.append(number)
            else:
                self.repeated += 1
                await viewer.send(plain)
        if absent and phone is not None and self._source:
            media = int.from_bytes(self._source, "big")
            await phone.send(bytes(RtcpRtpfbPacket(RTCP_RTPFB_NACK, phone.ssrc, media, absent)))
