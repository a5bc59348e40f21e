/** From the waiting room to the first question: the form comes ahead, the key at T0 and not a moment before it is due. */

import { jitter, Refused } from "./api";
import type { Attempt } from "./attempt";
import { Bundle, type Progress } from "./bundle";
import { ROOM_CODE_LENGTH, codeFits } from "./code";
import type { Language } from "./protocol";
import { fetchBlob, mayOpenByCode, openBlob } from "./room";

export type Stage = "waits" | "late" | "soon" | "opening" | "no-line" | "busy" | "closed" | "over" | "open";

const LOOK_AGAIN_MS = 60_000;
const CLOCK_AGAIN_MS = 150_000;
/** Who comes later than this after T0 presses a button: his time shall not begin while he is still sitting down. */
const LATE_MS = 15_000;
/** So long the key may fail to come before the room's code is asked for. */
const CODE_AFTER_MS = 20_000;
/** Wrong codes that cost no pause; after them it doubles with each. */
const FREE_TRIES = 5;
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 300_000;

export type CodeTrouble = "fits-not" | "opens-not" | "pause";

export class Opening {
  stage: Stage = "waits";
  progress: Progress = { have: 0, files: 0, bytes: 0, bytes_have: 0 };
  fetchFailed = false;
  private readonly timers: ReturnType<typeof setTimeout>[] = [];
  private wanted = false;
  private ended = false;
  private reserveHere = false;
  /** What became of the room's code, for its field. */
  codeTrouble: CodeTrouble | null = null;
  /** How far the code is being stretched, 0 … 1; null: nothing is under way. */
  stretching: number | null = null;
  private blobHere = false;
  private wantedAt: number | null = null;
  private inVain = false;
  private asked = false;
  private wrongCodes = 0;
  private pauseUntil = 0;

  constructor(private readonly attempt: Attempt, private readonly language: () => Language, private readonly changed: () => void) {}

  get complete(): boolean {
    return this.progress.files > 0 && this.progress.have === this.progress.files;
  }

  /** When this device's turn comes: its own part of the spread, drawn once. */
  get dueAt(): number {
    const { starts_ms, spread_s } = this.attempt.record.signed_in.sitting;
    return starts_ms + this.attempt.record.share * spread_s * 1000;
  }

  begin(): void {
    void this.fetch();
    void this.attempt.syncClock(3);
    const before_ms = this.dueAt - this.attempt.clock.now();
    if (before_ms > CLOCK_AGAIN_MS * 2) this.later(before_ms - CLOCK_AGAIN_MS + jitter(60_000), () => void this.attempt.syncClock(3));
    if (this.attempt.clock.now() > this.dueAt + LATE_MS) this.stage = "late";
  }

  end(): void {
    this.ended = true;
    this.timers.forEach(clearTimeout);
  }

  /** More time to come in was given: the door is tried again. */
  again(): void {
    if (this.stage === "closed") this.start();
  }

  /** No key comes though it is time, and his room has a code: he may open the test with it. */
  get asksForCode(): boolean {
    const waits = this.inVain && this.wantedAt !== null && performance.now() - this.wantedAt >= CODE_AFTER_MS;
    return waits && this.blobHere && this.complete && !this.ended && mayOpenByCode(this.attempt.record, this.attempt.clock);
  }

  /** Until a next code may be tried, in milliseconds. */
  get pauseLeft(): number {
    return Math.max(0, this.pauseUntil - performance.now());
  }

  /** Opens the test with the room's code. */
  async tryCode(code: string): Promise<void> {
    const { exam_room, manifest } = this.attempt.record.signed_in;
    if (!exam_room || this.stretching !== null) return;
    this.codeTrouble = this.pauseLeft > 0 ? "pause" : codeFits(code, ROOM_CODE_LENGTH) ? null : "fits-not";
    if (this.codeTrouble) {
      this.changed();
      return;
    }
    const tell = (share: number) => {
      this.stretching = share;
      this.changed();
    };
    tell(0);
    try {
      const opened = await openBlob(exam_room.blob, code, manifest, tell);
      if (opened && mayOpenByCode(this.attempt.record, this.attempt.clock)) await this.enter(opened);
      else this.wrongCode();
    } catch {
      this.codeTrouble = "opens-not";
    }
    this.stretching = null;
    this.changed();
  }

  private async enter(opened: Parameters<Attempt["openByCode"]>[0]): Promise<void> {
    if (this.stage === "open") return;
    await this.attempt.openByCode(opened);
    this.stage = "open";
    this.end();
  }

  private wrongCode(): void {
    this.codeTrouble = "opens-not";
    this.wrongCodes += 1;
    const beyond = this.wrongCodes - FREE_TRIES;
    if (beyond >= 0) this.pauseUntil = performance.now() + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** beyond);
  }

  /** The button of who comes late. */
  start(): void {
    this.want();
    void this.release();
  }

  tick(): void {
    const now = this.attempt.clock.now();
    if (this.stage === "waits" && now >= this.attempt.record.signed_in.sitting.starts_ms) {
      this.stage = "soon";
      this.changed();
    }
    if ((this.stage === "waits" || this.stage === "soon") && now >= this.dueAt) {
      this.want();
      void this.release();
    }
    if (this.asked !== this.asksForCode) {
      this.asked = this.asksForCode;
      this.changed();
    }
  }

  private want(): void {
    this.wanted = true;
    this.wantedAt ??= performance.now();
  }

  private async fetch(): Promise<void> {
    const { bundle } = this.attempt;
    try {
      this.fetchFailed = false;
      await bundle.prefetch(this.language(), (progress) => {
        this.progress = progress;
        this.changed();
      });
      if (!(await bundle.check())) throw new Error("opening: something is missing again");
    } catch {
      this.fetchFailed = true;
    }
    this.progress = bundle.progress();
    this.changed();
    await this.fetchBlobs();
    if (this.complete) await this.fetchReserve();
    this.later(this.fetchFailed ? 5_000 + jitter(5_000) : LOOK_AGAIN_MS, () => void this.fetch());
  }

  /** What the room's code opens: small, and wanted only if all else fails. */
  private async fetchBlobs(): Promise<void> {
    const { exam_room } = this.attempt.record.signed_in;
    if (!exam_room) return;
    if (exam_room.blob) this.blobHere = await fetchBlob(exam_room.blob).then(() => true, () => false);
    if (exam_room.reserve) await fetchBlob(exam_room.reserve).catch(() => undefined);
  }

  /** The form on which a stopped sitting goes on; its coming is nobody's worry and fails without a word. */
  private async fetchReserve(): Promise<void> {
    const { reserve } = this.attempt.record.signed_in;
    if (!reserve || this.reserveHere) return;
    const bundle = new Bundle(reserve);
    await bundle.prefetch(this.language(), () => undefined).then(() => { this.reserveHere = true; }, () => undefined);
    bundle.forget();
  }

  private async release(): Promise<void> {
    if (this.stage === "opening" || this.ended || !this.wanted) return;
    this.stage = "opening";
    this.changed();
    try {
      await this.attempt.release();
      if (this.ended) return;
      this.stage = "open";
      this.end();
    } catch (error) {
      this.afterFailure(error);
    }
    this.changed();
  }

  private afterFailure(error: unknown): void {
    if (this.ended) return;
    this.inVain = !(error instanceof Refused) || !["entry-closed", "sitting-over", "too-early"].includes(error.problem.code);
    const again = (wait_ms: number) => this.later(wait_ms, () => void this.release());
    if (!(error instanceof Refused)) {
      this.stage = "no-line";
      again(2_000 + jitter(3_000));
      return;
    }
    const { code, starts_ms } = error.problem;
    if (code === "entry-closed") this.stage = "closed";
    else if (code === "sitting-over") this.stage = "over";
    else if (code === "too-early") {
      // The start is held back, or this clock runs a little ahead.
      if (typeof starts_ms === "number") this.attempt.record.signed_in.sitting.starts_ms = starts_ms;
      const ahead = this.attempt.record.signed_in.sitting.starts_ms > this.attempt.clock.now() + 5_000;
      this.stage = ahead ? "waits" : "soon";
      void this.attempt.syncClock(1);
      if (!ahead) again(Math.max(error.retry_after_ms, 1_000) + jitter(2_000));
    } else {
      this.stage = "busy";
      again(Math.max(error.retry_after_ms, 2_000) + jitter(5_000));
    }
  }

  private later(wait_ms: number, what: () => void): void {
    if (!this.ended) this.timers.push(setTimeout(what, wait_ms));
  }
}
