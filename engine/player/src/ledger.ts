/**
 * Which events the device still owes the server (docs/protocol.md, save; rules 1 and 4 of docs/rules/saving.md).
 * Pure bookkeeping: no clock, no network, no storage; every error of the line ends in «send again», never in «forget».
 */

import type { LogEvent, Range, SaveReply, Verdict } from "./protocol";
import { add, addAll, common, has, remove, size } from "./ranges";

/** Not durable this long after its newest acknowledgement: sent again whatever the server says. */
export const RESEND_AFTER_MS = 120_000;
export const EVENTS_A_SAVE = 200;
export const OPEN_RECEIPTS = 16;
/** The body may hold 65 536 bytes; head, clock anchors and receipts need some of them. */
const EVENT_BYTES_A_SAVE = 56_000;

/** Events that were acknowledged together: entry `id` of stream `stream`. */
interface Acknowledged { stream: number; id: [number, number]; seqs: number[]; at_ms: number }

export interface LedgerState {
  durable: Range[];
  sent: Range[];
  refused: Range[];
  again: Range[];
  acknowledged: Acknowledged[];
}

export interface Batch { fresh: LogEvent[]; again: LogEvent[]; open: string[] }

export function emptyLedger(): LedgerState {
  return { durable: [], sent: [], refused: [], again: [], acknowledged: [] };
}

export class Ledger {
  constructor(public state: LedgerState) {}

  /** What the next save carries. `room` bounds what is sent for a second time; new events come in order. */
  plan(events: readonly LogEvent[], room: number, now_ms: number): Batch {
    const newest = this.newestAcknowledgement();
    const fresh: LogEvent[] = [];
    const repeats: LogEvent[] = [];
    for (const event of events) {
      if (!this.owes(event.seq)) continue;
      if (!has(this.state.sent, event.seq)) fresh.push(event);
      else {
        const at_ms = newest.get(event.seq);
        const waits = at_ms !== undefined && Math.abs(now_ms - at_ms) < RESEND_AFTER_MS;
        if (!waits || has(this.state.again, event.seq)) repeats.push(event);
      }
    }
    const budget = { events: EVENTS_A_SAVE, bytes: EVENT_BYTES_A_SAVE };
    const again = mostWanted(repeats).slice(0, Math.max(0, room)).filter((event) => spend(budget, event));
    const cut: LogEvent[] = [];
    for (const event of fresh) {
      if (!spend(budget, event)) break;
      cut.push(event);
    }
    return { fresh: cut, again: again.sort((a, b) => a.seq - b.seq), open: this.openReceipts() };
  }

  /** Called and stored before the request leaves: from now on these may be on the server. */
  leaving(batch: Batch): void {
    this.state.sent = addAll(this.state.sent, batch.fresh.map((event) => event.seq));
  }

  /** The engine said that it stored nothing of `batch`: its new events stay new. */
  notTaken(batch: Batch): void {
    for (const event of batch.fresh) this.state.sent = remove(this.state.sent, event.seq, event.seq);
  }

  /** Takes in a reply to the save that carried `batch`. */
  replied(batch: Batch, reply: SaveReply, now_ms: number): void {
    // What is in Postgres already was not refused, whatever became of its repeat.
    const refused = new Set((reply.refused ?? []).map((one) => one.seq).filter((seq) => !has(this.state.durable, seq)));
    this.state.refused = addAll(this.state.refused, refused);
    batch.open.forEach((receipt, i) => this.heard(receipt, reply.open?.[i] ?? "wait"));
    const seqs = [...batch.fresh, ...batch.again].map((event) => event.seq).filter((seq) => !refused.has(seq));
    if (reply.receipt && seqs.length > 0) {
      const { stream, id } = readReceipt(reply.receipt);
      this.state.acknowledged.push({ stream, id, seqs, at_ms: now_ms });
      for (const seq of seqs) this.state.again = remove(this.state.again, seq, seq);
    }
    for (const [from, to] of reply.missing ?? []) this.lost(from, to);
    this.forgetWhatIsSettled();
  }

  /** After a new generation of the server's store: only what it names is durable, the rest is owed again. */
  serverHas(have: readonly Range[]): void {
    const before = this.state.durable;
    this.state.durable = common(before, have);
    for (const [from, to] of before) this.lost(from, to, have);
    this.forgetWhatIsSettled();
  }

  owes(seq: number): boolean {
    return !has(this.state.durable, seq) && !has(this.state.refused, seq);
  }

  owesAny(last: number): boolean {
    return size(addAll(this.state.durable, spread(this.state.refused))) < last;
  }

  /** How far the log has come: numbers for the save line. */
  progress(last: number): { device: number; server: number; durable: number } {
    const received = this.state.acknowledged.reduce((set, group) => addAll(set, group.seqs), this.state.durable);
    return { device: last, server: size(received), durable: size(this.state.durable) };
  }

  private heard(receipt: string, verdict: Verdict): void {
    if (verdict === "wait") return;
    const { stream, id } = readReceipt(receipt);
    const told = this.state.acknowledged.filter((group) => group.stream === stream && !later(group.id, id));
    this.state.acknowledged = this.state.acknowledged.filter((group) => !told.includes(group));
    for (const group of told) {
      if (verdict === "durable") this.state.durable = addAll(this.state.durable, group.seqs);
      else this.state.again = addAll(this.state.again, group.seqs.filter((seq) => this.owes(seq)));
    }
  }

  private lost(from: number, to: number, except: readonly Range[] = []): void {
    for (let seq = from; seq <= to; seq++) {
      if (has(except, seq) || !has(this.state.sent, seq)) continue;
      this.state.durable = remove(this.state.durable, seq, seq);
      this.state.again = add(this.state.again, seq);
    }
  }

  /** One receipt a stream, the newest; the newest streams first. */
  private openReceipts(): string[] {
    const newest = new Map<number, Acknowledged>();
    for (const group of this.state.acknowledged) {
      const known = newest.get(group.stream);
      if (!known || later(group.id, known.id)) newest.set(group.stream, group);
    }
    return [...newest.values()].sort((a, b) => b.at_ms - a.at_ms).slice(0, OPEN_RECEIPTS)
      .map((group) => `${group.stream}-${group.id[0]}-${group.id[1]}`);
  }

  private newestAcknowledgement(): Map<number, number> {
    const newest = new Map<number, number>();
    for (const group of this.state.acknowledged) {
      for (const seq of group.seqs) newest.set(seq, Math.max(group.at_ms, newest.get(seq) ?? 0));
    }
    return newest;
  }

  private forgetWhatIsSettled(): void {
    this.state.again = spread(this.state.again).filter((seq) => this.owes(seq)).reduce<Range[]>((set, seq) => add(set, seq), []);
    this.state.acknowledged = this.state.acknowledged.filter((group) => group.seqs.some((seq) => this.owes(seq)));
  }
}

/** The hand-in first, then the newest answer of each item, then the rest in order. */
function mostWanted(events: readonly LogEvent[]): LogEvent[] {
  const newest = new Map<number | undefined, number>();
  for (const event of events) if (event.kind === "answer") newest.set(event.item, event.seq);
  const rank = (event: LogEvent) => {
    if (event.kind === "finish") return 0;
    return event.kind === "answer" && newest.get(event.item) === event.seq ? 1 : 2;
  };
  return events.slice().sort((a, b) => rank(a) - rank(b) || a.seq - b.seq);
}

function spend(budget: { events: number; bytes: number }, event: LogEvent): boolean {
  // Three bytes a UTF-16 unit is the most that UTF-8 needs; 40 stand for what the wire adds.
  const bytes = JSON.stringify(event.value ?? null).length * 3 + 40 + 80;
  if (budget.events < 1 || budget.bytes < bytes) return false;
  budget.events -= 1;
  budget.bytes -= bytes;
  return true;
}

function readReceipt(receipt: string): { stream: number; id: [number, number] } {
  const [stream = 0, ms = 0, counter = 0] = receipt.split("-").map(Number);
  return { stream, id: [ms, counter] };
}

function later(a: [number, number], b: [number, number]): boolean {
  return a[0] !== b[0] ? a[0] > b[0] : a[1] > b[1];
}

function spread(set: readonly Range[]): number[] {
  const out: number[] = [];
  for (const [from, to] of set) for (let seq = from; seq <= to; seq++) out.push(seq);
  return out;
}
