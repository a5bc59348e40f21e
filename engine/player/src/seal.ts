/**
 * A log whose owner has left is closed with a key made from code and birth day, so that a brother who sits down next opens nothing.
 * What is still owed to the server goes out first: until then the events stay readable for the sender, and for nobody's eyes.
 */

import { hkdf, open, seal, sha256 } from "./crypto";
import { hex } from "./finish";
import type { LogEvent } from "./protocol";
import { changeHead, done, read, readEvents, rowsOf, transact, type AttemptRecord, type LogHead } from "./store";

const utf8 = new TextEncoder();

export interface Owner { slip: string; key: Uint8Array }

/** Who holds the slip and knows the birth day. The code alone has 60 bits: no slow hash is needed. */
export async function ownerOf(code: string, day: number, month: number): Promise<Owner> {
  const secret = utf8.encode(`${code} ${day} ${month}`);
  const slip = hex((await sha256(utf8.encode(`elumiti/slip/${code} ${day} ${month}`))).subarray(0, 16));
  return { slip, key: await hkdf(secret, "elumiti/owner") };
}

async function pack(key: Uint8Array, thing: unknown, device: string): Promise<Uint8Array> {
  return seal(key, utf8.encode(JSON.stringify(thing)), utf8.encode(device));
}

async function unpack<T>(key: Uint8Array, sealed: Uint8Array, device: string): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await open(key, sealed, utf8.encode(device)))) as T;
}

/** Puts the attempt (keys, times, texts of the sitting, token) under the owner's key: at once when he leaves. */
export async function sealAttempt(head: LogHead, record: AttemptRecord): Promise<void> {
  if (!head.owner) return;
  const signed_in = { ...record.signed_in, token: head.token ?? "" };
  const sealed = await pack(head.owner, { ...record, signed_in }, head.device);
  await transact(["logs", "attempts"], "readwrite", async (tx) => {
    const kept = (await done(tx.objectStore("logs").get(head.device))) as LogHead | undefined;
    if (kept) await done(tx.objectStore("logs").put({ ...kept, sealed_attempt: sealed }));
    await done(tx.objectStore("attempts").delete(record.attempt));
  });
}

/** Puts the events under the owner's key, and forgets that key: when nothing is owed any more. */
export async function sealEvents(head: LogHead): Promise<void> {
  if (!head.owner) return;
  const sealed = await pack(head.owner, await readEvents(head.device), head.device);
  await transact(["logs", "events"], "readwrite", async (tx) => {
    const kept = (await done(tx.objectStore("logs").get(head.device))) as LogHead | undefined;
    // Who has opened it meanwhile writes on, here or in another tab.
    if (!kept || kept.writer !== head.writer) return;
    await done(tx.objectStore("events").delete(rowsOf(head.device)));
    await done(tx.objectStore("logs").put({ ...kept, sealed_events: sealed, owner: null, token: null }));
  });
}

/** What proves, to the server too, that this log was this owner's: a new log of his shows it. */
export async function tokenOf(head: LogHead, key: Uint8Array): Promise<string | null> {
  if (head.token || !head.sealed_attempt) return head.token;
  return unpack<AttemptRecord>(key, head.sealed_attempt, head.device).then((record) => record.signed_in.token || null, () => null);
}

/** The owner is back: everything as it was. What is sealed is read now, for it may have been sealed a moment ago. */
export async function unseal(device: string, key: Uint8Array): Promise<AttemptRecord | null> {
  const head = await read<LogHead>("logs", device);
  if (!head) return null;
  if (head.sealed_events) {
    const events = await unpack<LogEvent[]>(key, head.sealed_events, head.device);
    await transact(["events"], "readwrite", (tx) => {
      for (const event of events) tx.objectStore("events").put({ device: head.device, ...event });
    });
  }
  const record = head.sealed_attempt ? await unpack<AttemptRecord>(key, head.sealed_attempt, head.device) : null;
  await transact(["logs", "attempts"], "readwrite", async (tx) => {
    if (record) await done(tx.objectStore("attempts").put(record));
    const kept = (await done(tx.objectStore("logs").get(head.device))) as LogHead | undefined;
    if (kept) await done(tx.objectStore("logs").put({ ...kept, owner: key, sealed_events: null, sealed_attempt: null }));
  });
  await changeHead(head.device, (kept) => { kept.owner = key; });
  return record;
}
