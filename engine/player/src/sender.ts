/**
 * Brings the log of one device to the server: a save every 24–36 s, sooner when something matters.
 * It ends only when the server holds every event for good; what may be forgotten, the ledger alone decides.
 */

import { api, jitter, NoLine, Refused } from "./api";
import type { Clock } from "./clock";
import { Ledger } from "./ledger";
import type { Log } from "./log";
import type { SaveBody, SaveReply, WireEvent } from "./protocol";
import { changeHead } from "./store";

export type Line = "unknown" | "up" | "down" | "busy";

export interface Host {
  readonly clock: Clock;
  /** Highest control version applied. */
  controlsVersion(): number;
  /** How often to save when nothing presses: the exam runs, the pupil waits, or the paper is handed in. */
  pace(): "exam" | "waiting" | "handed-in" | "debt";
  heard(reply: SaveReply): void;
  changed(): void;
}

const LINE_RETRY_MS = [3_000, 6_000, 12_000, 20_000, 30_000];
/** When the final receipt is asked for, in seconds: first as the hand-in's reply says, then ever later, or a nation asks at once. */
const RECEIPT_FIRST_S = 3;
const RECEIPT_LAST_S = 60;
const MAX_ANCHORS = 8;
const PRESSING_MS = 1_000;

export class Sender {
  readonly ledger: Ledger;
  line: Line = "unknown";
  /** The engine does not take this token any more: only a new sign-in helps. */
  rejected = false;
  /** Called as a save begins: whatever else is on the wire makes room. */
  begins: (() => void) | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private dueAt = Infinity;
  private busy = false;
  private wanted = false;
  private stopped = false;
  private failures = 0;
  private next_save_s = 30;
  private receipt_s = RECEIPT_FIRST_S;
  private room = 20;
  private lineLostAt: number | null = null;

  constructor(private readonly log: Log, private readonly attempt: number, private readonly host: Host) {
    this.ledger = new Ledger(log.head.ledger);
  }

  begin(next_save_s: number, room: number): void {
    this.next_save_s = next_save_s;
    this.room = room;
    // A page that was opened without a network says so from its first moment, not after the first save that fails.
    if (navigator.onLine) this.plan(this.regular());
    else this.lineGone();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Save now, give or take `spread_ms`: at a section's end, at the hand-in, when the line is back, when the page is hidden. */
  soon(spread_ms = 0, keepalive = false): void {
    if (this.busy) this.wanted = true;
    else this.plan(jitter(spread_ms), keepalive);
  }

  /** The test is open now: the rhythm of the exam begins. */
  quicken(): void {
    if (!this.busy) this.plan(this.regular());
  }

  /** The browser says that the network is gone: no need to find out by waiting. */
  lineGone(): void {
    this.line = "down";
    this.host.changed();
    this.plan(LINE_RETRY_MS[0] ?? 0);
  }

  /** The browser says that there is a network again. A silence of a minute or more is ended with 0–5 s of spread. */
  lineMayBeBack(): void {
    if (this.line !== "up") this.soon(this.lineLostAt === null ? 1_000 : 5_000);
  }

  /** A save is on the wire, or will be in a moment: pictures wait. */
  get pressing(): boolean {
    return this.busy || this.line === "down" || this.dueAt - performance.now() < PRESSING_MS;
  }

  get owes(): boolean {
    return this.ledger.owesAny(this.log.last);
  }

  private plan(wait_ms: number, keepalive = false): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.dueAt = performance.now() + wait_ms;
    this.timer = setTimeout(() => void this.save(keepalive), wait_ms);
  }

  private regular(): number {
    const pace = this.host.pace();
    const mean_s = pace === "waiting" ? 120 : pace === "handed-in" ? this.receipt_s : this.next_save_s;
    return mean_s * 1000 * (0.8 + Math.random() * 0.4);
  }

  private async save(keepalive: boolean): Promise<void> {
    if (this.busy || this.stopped) return;
    this.busy = true;
    this.wanted = false;
    this.begins?.();
    let wait_ms: number;
    try {
      wait_ms = await this.once(keepalive);
      this.failures = 0;
      this.lineLostAt = null;
      this.line = "up";
      this.rejected = false;
    } catch (error) {
      wait_ms = this.afterFailure(error);
    } finally {
      this.busy = false;
    }
    if (this.wanted && this.line === "up") wait_ms = jitter(300);
    this.host.changed();
    this.plan(wait_ms);
  }

  /** One save; tells how long to wait for the next. */
  private async once(keepalive: boolean): Promise<number> {
    const token = this.log.head.token;
    if (!token || !navigator.onLine) throw new NoLine("no token or no network");
    if (this.line === "down") await this.probe();
    const batch = this.ledger.plan(this.log.events, this.room, this.host.clock.now());
    const { body, held } = this.wire(batch.fresh, batch.again, batch.open);
    batch.fresh = batch.fresh.filter((event) => !held.has(event.seq));
    batch.again = batch.again.filter((event) => !held.has(event.seq));
    this.ledger.leaving(batch);
    await this.keepLedger();
    const handIn = body.events.find((event) => event.kind === "finish" && event.seq === this.log.last);
    const sending = handIn ? api.finish(token, { ...body, events: bySeq(body.events) }) : api.save(token, body, keepalive);
    const { reply, asked, came } = await sending.catch((error: unknown) => {
      if (error instanceof Refused) this.ledger.notTaken(batch);
      throw error;
    });
    // Stopped meanwhile: the log is somebody else's now, who sends once more what he has no word of.
    if (this.stopped) return 0;
    this.host.clock.heard(reply, asked, came);
    this.next_save_s = reply.next_save_s;
    this.receipt_s = handIn ? reply.next_save_s : reply.missing ? RECEIPT_FIRST_S : receiptAgain(this.receipt_s);
    this.room = reply.room;
    this.ledger.replied(batch, reply, this.host.clock.now());
    if (reply.token) this.log.head.token = reply.token;
    // Not for ever: when a stranger's third device is held back, the attempt returns to the phone that wrote longest.
    this.log.head.superseded = reply.superseded ?? false;
    await this.keepLedger();
    if (reply.generation > this.log.head.generation) await this.askWhatIsThere(reply.generation);
    this.host.heard(reply);
    const more = this.ledger.plan(this.log.events, 0, this.host.clock.now()).fresh.length > 0;
    return more && this.host.pace() !== "waiting" ? 1_000 + jitter(1_000) : this.regular();
  }

  /** After a lost line: events that never leave shall not count as sent, for what is sent twice has little room. */
  private async probe(): Promise<void> {
    const { reply, asked, came } = await api.clock();
    this.host.clock.heard(reply, asked, came);
  }

  /** Events name their anchor by its place in `clock`; what needs a ninth anchor waits for the next save. */
  private wire(fresh: readonly LogEventLike[], again: readonly LogEventLike[], open: string[]): { body: SaveBody; held: Set<number> } {
    const clock: string[] = [];
    const held = new Set<number>();
    const events: WireEvent[] = [];
    const put = (event: LogEventLike, repeated: boolean) => {
      let anchor = clock.indexOf(event.anchor);
      if (anchor < 0 && clock.length < MAX_ANCHORS) anchor = clock.push(event.anchor) - 1;
      if (anchor < 0) {
        held.add(event.seq);
        return;
      }
      const { seq, kind, item, value, ms } = event;
      const wire: WireEvent = { seq, kind, anchor, ms };
      if (item !== undefined) wire.item = item;
      if (value !== undefined) wire.value = value;
      if (repeated) wire.again = true;
      events.push(wire);
    };
    for (const event of fresh) put(event, false);
    for (const event of again) put(event, true);
    const { generation } = this.log.head;
    return { body: { attempt: this.attempt, clock, generation, controls: this.host.controlsVersion(), open, events }, held };
  }

  private async askWhatIsThere(generation: number): Promise<void> {
    if (this.log.head.generation !== 0) {
      const { reply } = await api.have(this.log.head.token ?? "", this.log.head.device);
      this.ledger.serverHas(reply.have);
    }
    this.log.head.generation = generation;
    await this.keepLedger();
    this.wanted = true;
  }

  private afterFailure(error: unknown): number {
    if (error instanceof Refused) {
      this.line = "busy";
      this.rejected = error.problem.status === 401 || error.problem.status === 403;
      this.failures += 1;
      // Whatever was refused as a whole stays owed; only waiting helps (503, 429) or a person does (401, 403).
      return Math.max(error.retry_after_ms, error.problem.status >= 500 || error.problem.status === 429 ? 5_000 : 30_000) + jitter(5_000);
    }
    this.line = "down";
    this.lineLostAt ??= performance.now();
    const wait_ms = LINE_RETRY_MS[Math.min(this.failures, LINE_RETRY_MS.length - 1)] ?? 30_000;
    this.failures += 1;
    return wait_ms + jitter(2_000);
  }

  /** What was sent and what is durable must outlive the page; should the write fail, more is sent again, nothing is lost. */
  private async keepLedger(): Promise<void> {
    const { token, generation, superseded } = this.log.head;
    const ledger = this.ledger.state;
    try {
      await changeHead(this.log.head.device, (head) => Object.assign(head, { token, generation, superseded, ledger }));
    } catch { /* the next save writes it */ }
  }
}

/** Seconds until the receipt is asked for once more, after an answer without it. */
export function receiptAgain(asked_s: number): number {
  return Math.max(asked_s, Math.min(RECEIPT_LAST_S, 1.5 * asked_s));
}

type LogEventLike = Log["events"][number];

function bySeq(events: readonly WireEvent[]): WireEvent[] {
  return events.slice().sort((a, b) => a.seq - b.seq);
}
