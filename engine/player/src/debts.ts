/** Logs on this device that nobody looks at and that still owe the server something: a brother's, or one a newer device replaced. */

import { Clock } from "./clock";
import { finishIsOutdated, finishNote } from "./finish";
import { Ledger } from "./ledger";
import { Log } from "./log";
import type { Final, SaveReply } from "./protocol";
import { sealEvents } from "./seal";
import { Sender, type Host } from "./sender";
import { erase, keepReceiptOnly, readAll, rowsOf, transact, type LogHead } from "./store";
import { hold, TAB } from "./tab";

const DAY_MS = 86_400_000;
/** Sealed logs wait for a question of the server until results are out: this long at most. */
const KEPT_MS = 30 * DAY_MS;
const underWay = new Map<string, () => void>();

/** Sends what is owed, seals what is settled, drops what is past its time; `current` is left to its own attempt. */
export async function sendDebts(current: string | null): Promise<void> {
  const heads = await readAll<LogHead>("logs").catch(() => []);
  for (const head of heads.filter((one) => one.device !== current && !underWay.has(one.device))) {
    if (head.attempt === null || Date.now() - head.made_ms > KEPT_MS) await drop(head);
    else if (new Ledger(head.ledger).owesAny(head.next - 1) && head.token) void pay(head);
    else if (head.owner && !head.sealed_events) await sealEvents(head);
  }
}

/** Its owner is back and sends for himself. */
export function makeWay(device: string): void {
  underWay.get(device)?.();
}

async function pay(head: LogHead): Promise<void> {
  underWay.set(head.device, () => undefined);
  const lost = () => undefined;
  const held = await hold(head.device, "ask", lost);
  if (!held || head.attempt === null) {
    underWay.delete(head.device);
    return;
  }
  const log = await Log.open(head.device, TAB);
  const end = () => {
    sender.stop();
    held.release();
    underWay.delete(head.device);
  };
  underWay.set(head.device, end);
  const host: Host = {
    clock: new Clock(), controlsVersion: () => 0, pace: () => "debt", changed: () => undefined,
    heard: (reply: SaveReply) => void settle(reply.final ?? null),
  };
  const settle = async (final: Final | null) => {
    const { refused } = sender.ledger.state;
    if (!final && (await finishIsOutdated(log.events, refused))) {
      await log.append(async (_, before) => ({ kind: "finish", value: { ...(await finishNote(before, refused)) }, ...host.clock.stamp() }));
    }
    if (sender.owes && !final) return;
    end();
    if (final && head.attempt !== null) await keepReceiptOnly(head.attempt, { ...final, attempt: head.attempt, title: {}, first_name: "" });
    else await sealEvents(log.head);
  };
  const sender = new Sender(log, head.attempt, host);
  sender.begin(30, 20);
  sender.soon(5_000);
  // The owner may sign in again at any time: then this one makes way (log.ts keeps it from writing).
  setTimeout(end, 10 * 60_000);
}

async function drop(head: LogHead): Promise<void> {
  // A log without an attempt is a sign-in under way, unless it is old.
  if (head.attempt === null && Date.now() - head.made_ms < DAY_MS) return;
  await transact(["events"], "readwrite", (tx) => { tx.objectStore("events").delete(rowsOf(head.device)); });
  await erase("logs", head.device);
}
