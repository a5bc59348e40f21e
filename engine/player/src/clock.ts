/**
 * The server's time on this device, whatever the phone's clock and zone say.
 * Of all samples the one with the shortest round trip counts: its error is at most half of that.
 */

import type { Stamp } from "./protocol";
import type { AnchorRecord } from "./store";

/** A better round trip beats a newer one, but not for ever: quartz drifts. */
const SAMPLE_LIVES_MS = 10 * 60_000;
/** A jump of the wall clock against the monotonic one: the phone slept, or its clock was set. */
const JUMP_MS = 2_000;

export interface Hands { monotonic(): number; wall(): number }
export const realHands: Hands = { monotonic: () => performance.now(), wall: () => Date.now() };

export class Clock {
  private sample: { offset_ms: number; round_trip_ms: number; at_ms: number } | null = null;
  private anchorNow: { now: string; now_ms: number; at_ms: number } | null = null;
  private lastSeen: { monotonic: number; wall: number };
  private floor_ms = 0;
  /** How much of the time since the newest signed one rests on the phone's own clock: it slept, or its clock was set. */
  believed_ms = 0;
  /** Known from this run of the page, not from an earlier one. */
  synced = false;

  constructor(private readonly hands: Hands = realHands) {
    this.lastSeen = { monotonic: hands.monotonic(), wall: hands.wall() };
  }

  /** The server's time in Unix milliseconds, as well as it is known. */
  now(): number {
    return this.sample ? this.hands.monotonic() + this.sample.offset_ms : this.hands.wall();
  }

  /** How far the phone's own clock is off, in milliseconds; positive: it is behind. */
  phoneOff(): number {
    return this.now() - this.hands.wall();
  }

  get roundTrip(): number | null {
    return this.sample?.round_trip_ms ?? null;
  }

  /** Takes in a signed time that was asked for at `asked` and came at `came` (monotonic milliseconds). */
  heard(stamp: Stamp, asked: number, came: number): void {
    const round_trip_ms = Math.max(0, came - asked);
    const offset_ms = stamp.now_ms + round_trip_ms / 2 - came;
    const old = this.sample;
    const better = !this.synced || !old || round_trip_ms <= old.round_trip_ms || came - old.at_ms > SAMPLE_LIVES_MS
      || Math.abs(offset_ms - old.offset_ms) > (round_trip_ms + old.round_trip_ms) / 2 + JUMP_MS;
    if (better) this.sample = { offset_ms, round_trip_ms, at_ms: came };
    this.synced = true;
    if (!this.anchorNow || stamp.now_ms >= this.anchorNow.now_ms) {
      this.anchorNow = { now: stamp.now, now_ms: stamp.now_ms, at_ms: came };
      this.floor_ms = 0;
      this.believed_ms = 0;
    }
  }

  /** The newest signed time and the milliseconds since, for an event that happens now. */
  stamp(): { anchor: string; ms: number } {
    if (!this.anchorNow) return { anchor: "", ms: Math.round(this.hands.monotonic()) };
    const ms = Math.max(this.floor_ms, Math.round(this.hands.monotonic() - this.anchorNow.at_ms));
    this.floor_ms = ms;
    return { anchor: this.anchorNow.now, ms };
  }

  /** The newest signed time and what has passed since: never ahead of the server's, but for a phone whose clock was set. */
  anchored(): number {
    return this.anchorNow ? this.anchorNow.now_ms + this.hands.monotonic() - this.anchorNow.at_ms : 0;
  }

  /** To keep with the log, so that the next run of the page goes on without a network. */
  record(): AnchorRecord | null {
    const anchor = this.anchorNow;
    if (!anchor) return null;
    const wall_ms = this.hands.wall() - (this.hands.monotonic() - anchor.at_ms);
    return { now: anchor.now, now_ms: anchor.now_ms, wall_ms, offset_wall_ms: this.phoneOff() };
  }

  /** Goes on from an earlier run: the best estimate is the phone's clock plus what it was off then. `ms_seen`: the last event's. */
  restore(record: AnchorRecord, ms_seen: number): void {
    const since_ms = Math.max(ms_seen, this.hands.wall() - record.wall_ms, 0);
    this.anchorNow = { now: record.now, now_ms: record.now_ms, at_ms: this.hands.monotonic() - since_ms };
    this.floor_ms = ms_seen;
    this.believed_ms = Math.round(since_ms - ms_seen);
    const now_ms = Math.max(this.hands.wall() + record.offset_wall_ms, record.now_ms);
    this.sample = { offset_ms: now_ms - this.hands.monotonic(), round_trip_ms: Infinity, at_ms: this.hands.monotonic() };
  }

  /**
   * To be called about once a second. The monotonic clock of many phones stands still in sleep: a forward jump of the wall
   * clock is believed until the server says better (true asks for that), a backward one never.
   */
  jumped(): boolean {
    const seen = { monotonic: this.hands.monotonic(), wall: this.hands.wall() };
    const jump = seen.wall - this.lastSeen.wall - (seen.monotonic - this.lastSeen.monotonic);
    this.lastSeen = seen;
    if (Math.abs(jump) < JUMP_MS) return false;
    if (jump > 0) {
      this.believed_ms += Math.round(jump);
      if (this.sample) this.sample = { ...this.sample, offset_ms: this.sample.offset_ms + jump, round_trip_ms: Infinity };
      if (this.anchorNow) this.anchorNow = { ...this.anchorNow, at_ms: this.anchorNow.at_ms - jump };
    }
    return true;
  }
}
