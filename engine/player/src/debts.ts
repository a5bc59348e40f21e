/** Logs on this device that nobody looks at and that still owe the server something: a brother's, or one a newer device replaced. */

import { Clock } from "./clock";
import { finishIsOutdated, finishNote } from "./finish";
import { Ledger } from "./ledger";
import { Log } from "./log";
import type { Final, SaveReply } from "./protocol";
import { sealEvents } from "./seal";
import { Sender, type Host } from "./sender";
import { erase, keepReceiptOnly, read, readAll, rowsOf, transact, type LogHead } from "./store";
import { hold, TAB } from "./tab";

const DAY_MS = 86_400_000;
/** Sealed logs wait for a question of the server until results are out: this long at most. */
const KEPT_MS = 30 * DAY_MS;
const LONGEST_MS = 10 * 60_000;
/** Another writer than the owner: once he has opened his log, nothing is appended to it from here. */
const WRITER = `${TAB}-debts`;

/** A log that is being looked after; `over`: nothing here touches it any more. */
interface Work { end(): void; over: Promise<void> }
const underWay = new Map<string, Work>();
/** The log that its owner looks at in this tab, or is just opening: left to him. */
let owned: string | null = null;

/** Sends what is owed, seals what is settled, drops what is past its time. */
export async function sendDebts(): Promise<void> {
  for (const { device } of await readAll<LogHead>("logs").catch(() => [])) {
    if (device === owned || underWay.has(device)) continue;
    const work: Work = { end: () => undefined, over: Promise.resolve() };
    underWay.set(device, work);
    work.over = lookAfter(device, work).catch(() => undefined).finally(() => underWay.delete(device));
  }
}

/** Its owner is back and sends for himself: resolves when his log is his alone. null: nobody is signed in here. */
export async function makeWay(device: string | null): Promise<void> {
  owned = device;
  const work = device === null ? undefined : underWay.get(device);
  work?.end();
  await work?.over;
}

async function lookAfter(device: string, work: Work): Promise<void> {
  const head = await read<LogHead>("logs", device);
  if (!head || owned === device) return;
  if (head.attempt === null || Date.now() - head.made_ms > KEPT_MS) await drop(head);
  else if (new Ledger(head.ledger).owesAny(head.next - 1) && head.token) await pay(head, head.attempt, work);
  else if (head.owner && !head.sealed_events) await sealEvents(head);
}

async function pay(head: LogHead, attempt: number, work: Work): Promise<void> {
  const held = await hold(head.device, "ask", () => work.end());
  if (!held) return;
  try {
    const log = owned === head.device ? null : await Log.open(head.device, WRITER);
    if (!log || owned === head.device) return;
    const outcome = await settled(log, attempt, work);
    if (outcome === "left" || owned === head.device) return;
    // Whoever handed in: what the owner writes into a newer log of this attempt stays his.
    const mine = owned === null ? undefined : await read<LogHead>("logs", owned);
    if (outcome === "paid" || mine?.attempt === attempt) await sealEvents(log.head);
    else await keepReceiptOnly(attempt, { ...outcome, attempt, title: {}, first_name: "" });
  } finally {
    held.release();
  }
}

/** Sends until nothing is owed or there is a receipt; "left": its owner came, or it took too long. */
function settled(log: Log, attempt: number, work: Work): Promise<Final | "paid" | "left"> {
  return new Promise((resolve) => {
    const end = (outcome: Final | "paid" | "left") => {
      clearTimeout(timer);
      sender.stop();
      resolve(outcome);
    };
    work.end = () => end("left");
    const timer = setTimeout(work.end, LONGEST_MS);
    const host: Host = {
      clock: new Clock(), controlsVersion: () => 0, pace: () => "debt", changed: () => undefined,
      heard: (reply: SaveReply) => void hear(reply.final ?? null).catch(work.end),
    };
    const hear = async (final: Final | null) => {
      const { refused } = sender.ledger.state;
      if (!final && (await finishIsOutdated(log.events, refused))) {
        await log.append(async (_, before) => ({ kind: "finish", value: { ...(await finishNote(before, refused)) }, ...host.clock.stamp() }));
      }
      if (final) end(final);
      else if (!sender.owes) end("paid");
    };
    const sender = new Sender(log, attempt, host);
    sender.begin(30, 20);
    sender.soon(5_000);
  });
}

async function drop(head: LogHead): Promise<void> {
  // A log without an attempt is a sign-in under way, unless it is old.
  if (head.attempt === null && Date.now() - head.made_ms < DAY_MS) return;
  await transact(["events"], "readwrite", (tx) => { tx.objectStore("events").delete(rowsOf(head.device)); });
  await erase("logs", head.device);
}
