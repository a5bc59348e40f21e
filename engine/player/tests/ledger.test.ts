import { expect, test } from "vitest";
import { emptyLedger, Ledger, RESEND_AFTER_MS } from "../src/ledger";
import type { LogEvent, SaveReply } from "../src/protocol";
import { sfc32 } from "../src/order";

const event = (seq: number, kind: LogEvent["kind"] = "view", item = seq): LogEvent => ({ seq, kind, item, anchor: "a", ms: seq });
const log = (count: number) => Array.from({ length: count }, (_, i) => event(i + 1));
const reply = (more: Partial<SaveReply>): SaveReply => ({ now_ms: 0, now: "", generation: 1, next_save_s: 30, room: 20, ...more });

function saved(ledger: Ledger, events: LogEvent[], at_ms: number, more: Partial<SaveReply>) {
  const batch = ledger.plan(events, 20, at_ms);
  ledger.leaving(batch);
  ledger.replied(batch, reply(more), at_ms);
  return batch;
}
const seqs = (events: readonly LogEvent[]) => events.map((one) => one.seq);

test("an acknowledged event is kept until it is durable", () => {
  const ledger = new Ledger(emptyLedger());
  const events = log(3);
  expect(seqs(saved(ledger, events, 0, { receipt: "7-100-0" }).fresh)).toEqual([1, 2, 3]);
  expect(ledger.owesAny(3)).toBe(true);
  expect(saved(ledger, events, 30_000, { receipt: "7-200-0", open: ["wait"] })).toMatchObject({ fresh: [], again: [], open: ["7-100-0"] });
  saved(ledger, events, 60_000, { open: ["durable"] });
  expect(ledger.owesAny(3)).toBe(false);
});

test("a durable receipt covers the earlier ones of its stream, and no other stream", () => {
  const ledger = new Ledger(emptyLedger());
  const events = log(3);
  saved(ledger, events.slice(0, 1), 0, { receipt: "7-100-0" });
  saved(ledger, events.slice(0, 2), 1, { receipt: "9-50-0", open: ["wait"] });
  saved(ledger, events.slice(0, 3), 2, { receipt: "7-99-5", open: ["wait", "wait"] });
  // Numbers, not text: 7-100-0 is the newest of stream 7.
  expect(ledger.plan(events, 20, 3).open.sort()).toEqual(["7-100-0", "9-50-0"]);
  const batch = ledger.plan(events, 20, 3);
  ledger.replied(batch, reply({ open: batch.open.map((one) => (one.startsWith("7") ? "durable" : "wait")) }), 3);
  expect([1, 2, 3].map((seq) => ledger.owes(seq))).toEqual([false, true, false]);
});

test("not durable 120 s after its newest acknowledgement: sent again, marked, at most `room`", () => {
  const ledger = new Ledger(emptyLedger());
  const events = log(30);
  saved(ledger, events, 0, { receipt: "7-100-0" });
  expect(ledger.plan(events, 20, RESEND_AFTER_MS - 1).again).toEqual([]);
  const batch = ledger.plan(events, 20, RESEND_AFTER_MS);
  expect(batch.fresh).toEqual([]);
  expect(batch.again.length).toBe(20);
});

test("the newest answer of each item goes first, the hand-in before all", () => {
  const ledger = new Ledger(emptyLedger());
  const events = [event(1, "answer", 5), event(2, "view", 6), event(3, "answer", 5), event(4, "answer", 6), event(5, "finish")];
  ledger.leaving(ledger.plan(events, 20, 0)); // and no reply ever came
  expect(seqs(ledger.plan(events, 3, 1).again)).toEqual([3, 4, 5]);
  expect(seqs(ledger.plan(events, 1, 1).again)).toEqual([5]);
});

test("«again» is obeyed, a refused event is set aside and holds up nobody", () => {
  const ledger = new Ledger(emptyLedger());
  const events = log(3);
  saved(ledger, events, 0, { receipt: "7-100-0", refused: [{ seq: 2, code: "value-invalid" }] });
  const batch = saved(ledger, events, 1, { open: ["again"] });
  expect(batch.open).toEqual(["7-100-0"]);
  expect(seqs(ledger.plan(events, 20, 2).again)).toEqual([1, 3]);
  expect(ledger.owes(2)).toBe(false);
});

test("what the engine says it lacks is sent again, even if it was durable", () => {
  const ledger = new Ledger(emptyLedger());
  const events = log(5);
  saved(ledger, events, 0, { receipt: "7-100-0" });
  saved(ledger, events, 1, { open: ["durable"], missing: [[2, 3]] });
  expect(seqs(ledger.plan(events, 20, 2).again)).toEqual([2, 3]);
});

test("after a new generation only what the server names is durable", () => {
  const ledger = new Ledger(emptyLedger());
  const events = log(6);
  saved(ledger, events, 0, { receipt: "7-100-0" });
  saved(ledger, events, 1, { open: ["durable"] });
  ledger.serverHas([[1, 2], [5, 5]]);
  expect(seqs(ledger.plan(events, 20, 2).again)).toEqual([3, 4, 6]);
});

test("a refusal of the whole leaves new events new", () => {
  const ledger = new Ledger(emptyLedger());
  const events = log(2);
  const batch = ledger.plan(events, 20, 0);
  ledger.leaving(batch);
  ledger.notTaken(batch);
  expect(seqs(ledger.plan(events, 20, 1).fresh)).toEqual([1, 2]);
});

test("a body stays under the server's limits", () => {
  const ledger = new Ledger(emptyLedger());
  const events = Array.from({ length: 300 }, (_, i): LogEvent => ({ ...event(i + 1, "answer"), value: "ә".repeat(i % 7 === 0 ? 1300 : 3) }));
  let left = events;
  for (let turn = 0; left.length > 0; turn++) {
    expect(turn).toBeLessThan(30);
    const batch = ledger.plan(events, 20, turn);
    expect(batch.fresh.length).toBeLessThanOrEqual(200);
    expect(new TextEncoder().encode(JSON.stringify(batch.fresh)).length).toBeLessThan(62_000);
    ledger.leaving(batch);
    ledger.replied(batch, reply({ receipt: `7-${turn + 1}-0` }), turn);
    left = events.filter((one) => !ledger.state.sent.some(([a, b]) => a <= one.seq && one.seq <= b));
  }
});

/**
 * The server as it may behave: entries reach Postgres late, streams die and lose what was not yet there, replies are lost,
 * the page is reloaded. Whatever happens, an event that is not in Postgres is owed; and when the line is good again, all arrive.
 */
test("no loss, reorder or restart lets an event be forgotten before it is durable", () => {
  for (let run = 0; run < 300; run++) {
    const random = sfc32((run + 1).toString(16).padStart(32, "7"));
    const chance = (p: number) => random() / 4294967296 < p;
    const postgres = new Set<number>();
    let stream = 1;
    let entry = 0;
    let waiting: { id: number; seqs: number[] }[] = [];
    const position = new Map<number, number>();
    let ledger = new Ledger(emptyLedger());
    const events: LogEvent[] = [];
    let now_ms = 0;

    const step = (calm: boolean) => {
      now_ms += 30_000;
      const batch = ledger.plan(events, 20, now_ms);
      ledger.leaving(batch);
      if (chance(0.1) && !calm) ledger = new Ledger(structuredClone(ledger.state)); // reload
      if (chance(0.25) && !calm) return; // the request is lost
      entry += 1;
      const own = stream;
      const taken = [...batch.fresh, ...batch.again].map((one) => one.seq);
      waiting.push({ id: entry, seqs: taken });
      const open = batch.open.map((receipt): "durable" | "wait" | "again" => {
        const [of = 0, ms = 0] = receipt.split("-").map(Number);
        if ((position.get(of) ?? 0) >= ms) return "durable";
        return of !== stream && chance(0.5) ? "again" : "wait";
      });
      if (chance(calm ? 1 : 0.6)) { // the flusher comes by
        for (const one of waiting) one.seqs.forEach((seq) => postgres.add(seq));
        position.set(stream, entry);
        waiting = [];
      } else if (chance(0.2)) { // all of the stream store is lost; a new stream begins
        waiting = [];
        stream += 1;
      }
      if (chance(0.25) && !calm) return; // the reply is lost
      ledger.replied(batch, reply({ receipt: `${own}-${entry}-0`, open }), now_ms);
    };
    const check = () => {
      for (const one of events) if (!postgres.has(one.seq)) expect(ledger.owes(one.seq)).toBe(true);
    };
    for (let turn = 0; turn < 60; turn++) {
      for (let n = 0; n < 3; n++) if (chance(0.5)) events.push(event(events.length + 1, chance(0.5) ? "answer" : "view", 1 + (random() % 5)));
      step(false);
      check();
    }
    for (let turn = 0; turn < 30; turn++) step(true);
    check();
    expect(postgres.size).toBe(events.length);
    expect(ledger.owesAny(events.length)).toBe(false);
  }
});
