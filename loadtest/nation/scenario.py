"""What is asked of a run, with its defaults: the mass sitting as three of four Myń Bala pupils live it, on a phone."""

from __future__ import annotations

import msgspec

from loadtest.scene import BenchScene


class Nation(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario. Shares are of the candidates (0 … 1), times in seconds unless the name says minutes."""

    candidates: int
    minutes: float
    save_every_s: float = 30.0
    sign_in_s: float = 60.0
    # Silence between the last sign-in and T0: whoever comes then waits anyway.
    calm_before_s: float = 5.0
    spread_s: float = 60.0
    hand_in_s: float = 60.0
    prefetch: bool = True
    lost_acks: float = 0.01
    drops: float = 0.02
    second_devices: float = 0.005
    re_entries: float = 0.01
    # Visitors a candidate over the whole sitting; each asks for the start page and all it needs.
    visitors: float = 0.0
    # Far more than are busy at once (rate × latency): who is due and finds none is held back by the generator, not by us.
    connections: int = 4000
    workers: int = 1
    # So long after the end the generator waits for receipts that do not come.
    settle_s: float = 600.0
    seed: int = 1


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A nation that several generators share: who sits where, and when it begins (Unix seconds)."""

    nation: Nation
    base_url: str
    t0_unix_s: float
    scene: BenchScene

    def part(self, number: int, of: int) -> Sent:
        """The share of one generator: every `of`-th candidate."""
        seats = self.scene.seats[number - 1 :: of]
        nation = msgspec.structs.replace(self.nation, candidates=len(seats), seed=self.nation.seed * 1000 + number)
        return msgspec.structs.replace(self, nation=nation, scene=msgspec.structs.replace(self.scene, seats=seats))
