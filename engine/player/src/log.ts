/**
 * The event log of one attempt on this device (DESIGN §1 rules 3 and 12).
 * An event has its number from the transaction that appends it, so two tabs or a crash can never give one number twice.
 * A write that fails is repeated; then the event lives in memory, is sent from there, and is never called saved.
 */

import { randomBytes } from "./crypto";
import { hex } from "./finish";
import { emptyLedger } from "./ledger";
import type { Happening, LogEvent } from "./protocol";
import { done, readEvents, transact, type LogHead } from "./store";

const TRIES_AFTER_MS = [0, 100, 400];

/** Another tab of this attempt writes now. */
export class TabLost extends Error {}

export type Dated = Happening & { anchor: string; ms: number };

export class Log {
  /** In the order of their numbers; `unsaved` of the last ones are not on disk. */
  readonly events: LogEvent[];
  private queue: Promise<unknown> = Promise.resolve();
  private unsaved: LogEvent[] = [];

  private constructor(public head: LogHead, events: LogEvent[], private readonly tab: string) {
    this.events = events;
  }

  /** Makes a log with a new device number, in one transaction. */
  static async make(slip: string, owner: Uint8Array): Promise<LogHead> {
    const head: LogHead = {
      device: hex(randomBytes(16)), slip, attempt: null, token: null, next: 1, writer: "", made_ms: Date.now(),
      generation: 0, superseded: false, ledger: emptyLedger(), owner,
      sealed_events: null, sealed_attempt: null,
    };
    await transact(["logs"], "readwrite", (tx) => done(tx.objectStore("logs").add(head)));
    return head;
  }

  /** Opens a log for writing: from here on `tab` alone may append. */
  static async open(device: string, tab: string): Promise<Log> {
    const head = await transact(["logs"], "readwrite", async (tx) => {
      const found = (await done(tx.objectStore("logs").get(device))) as LogHead | undefined;
      if (!found) throw new Error("log: gone");
      found.writer = tab;
      await done(tx.objectStore("logs").put(found));
      return found;
    });
    return new Log(head, await readEvents(device), tab);
  }

  get unsavedCount(): number {
    return this.unsaved.length;
  }

  get last(): number {
    return this.events.length;
  }

  /** Appends what `make` gives when its turn has come; resolves with the event, on disk or (told by `unsavedCount`) not. */
  append(make: (next: number, before: readonly LogEvent[]) => Dated | Promise<Dated>): Promise<LogEvent> {
    const turn = this.queue.then(async () => {
      const event: LogEvent = { seq: this.last + 1, ...(await make(this.last + 1, this.events)) };
      await this.writeOut([...this.unsaved, event]);
      this.events.push(event);
      return event;
    });
    this.queue = turn.catch(() => undefined);
    return turn;
  }

  /** Tries once more to bring to disk what only memory holds. */
  async retry(): Promise<void> {
    const turn = this.queue.then(() => (this.unsaved.length > 0 ? this.writeOut(this.unsaved) : undefined));
    this.queue = turn.catch(() => undefined);
    await turn;
  }

  private async writeOut(events: LogEvent[]): Promise<void> {
    for (const wait_ms of TRIES_AFTER_MS) {
      if (wait_ms > 0) await new Promise((resolve) => setTimeout(resolve, wait_ms));
      try {
        await this.write(events);
        this.unsaved = [];
        return;
      } catch (error) {
        if (error instanceof TabLost) throw error;
      }
    }
    this.unsaved = events;
  }

  private async write(events: readonly LogEvent[]): Promise<void> {
    const first = events[0];
    if (!first) return;
    await transact(["logs", "events"], "readwrite", async (tx) => {
      const logs = tx.objectStore("logs");
      const head = (await done(logs.get(this.head.device))) as LogHead | undefined;
      if (!head || head.writer !== this.tab || head.next !== first.seq) throw new TabLost("log: another tab writes");
      for (const event of events) await done(tx.objectStore("events").add({ device: head.device, ...event }));
      head.next = first.seq + events.length;
      await done(logs.put(head));
    });
  }
}
