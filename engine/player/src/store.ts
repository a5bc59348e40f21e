/** What this device keeps: one IndexedDB database. Everything that must outlive the page is here and nowhere else. */

import { randomBytes } from "./crypto";
import type { LedgerState } from "./ledger";
import type { Control, Final, Help, Language, LogEvent, SignInReply, Texts, Value } from "./protocol";
import type { Kept } from "./tries";

/** The head of a log. The device's number is made in the transaction that makes the log, and lives only here. */
export interface LogHead {
  device: string;
  /** A digest of code and birth day: finds the log again when its owner signs in, tells nothing about the code. */
  slip: string;
  attempt: number | null;
  token: string | null;
  next: number;
  /** The one tab that may append. */
  writer: string;
  made_ms: number;
  generation: number;
  superseded: boolean;
  ledger: LedgerState;
  /** The owner's key, while someone is signed in or events are still owed; without it the log opens only by code and birth day. */
  owner: Uint8Array | null;
  /** Events and attempt, when they are sealed to their owner (seal.ts). */
  sealed_events: Uint8Array | null;
  sealed_attempt: Uint8Array | null;
}

export interface AnchorRecord { now: string; now_ms: number; wall_ms: number; offset_wall_ms: number }

export interface AttemptRecord {
  attempt: number;
  device: string;
  signed_in: SignInReply;
  step: "check" | "waiting" | "open";
  /** This device's own part of the spread at T0, 0 … 1. */
  share: number;
  keys: Record<string, string> | null;
  seed: string | null;
  started_ms: number | null;
  deadline_ms: number | null;
  anchor: AnchorRecord | null;
  controls: Control[];
  controls_version: number;
  merged: Merged | null;
  /** Hand-ins up to this event were taken back. */
  taken_back: number;
  /** The hand-in that nobody pressed: time was over, or staff ended the test. */
  automatic: number;
  /** Steps that are tried in vain, and since when by the phone's clock. */
  tries?: Kept;
  /** Events up to this one belong to a form that was stopped. */
  stopped_at?: number;
  /** What the child said to the camera; withdrawn: a person took the consent back. */
  camera?: "yes" | "no" | "withdrawn";
  /** The photo of the face is taken. */
  photographed?: boolean;
}

export interface Merged {
  complete: boolean;
  answers: Record<string, { value: Value }>;
  marked: number[];
  place: number | null;
}

export interface ReceiptRecord extends Final {
  attempt: number;
  title: Texts;
  first_name: string;
  /** Staff ended the attempt before its time; `help` is whom the pupil can ask why. */
  ended_by_staff?: boolean;
  help?: Help | null;
}

export interface Settings {
  language: Language;
  language_chosen: boolean;
  text_size: number;
  current: number | null;
  hide_clock: boolean;
  /** Sign-in of a slip is tried in vain since then, by the phone's clock. */
  tries?: { slip: string; since: Kept };
}

interface Row extends LogEvent { device: string }

const STORES = { logs: "device", attempts: "attempt", receipts: "attempt", files: "name", settings: "name" } as const;
type StoreName = keyof typeof STORES;
export type AnyStore = StoreName | "events";

let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open("elumiti", 1);
    request.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(STORES)) request.result.createObjectStore(name, { keyPath });
      request.result.createObjectStore("events", { keyPath: ["device", "seq"] });
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      // Some phones close the database under us; the next call opens it anew.
      request.result.onclose = () => { opened = null; };
      resolve(request.result);
    };
    request.onerror = () => reject(request.error ?? new Error("store: cannot open"));
    request.onblocked = () => reject(new Error("store: blocked"));
  }).catch((error: unknown) => { opened = null; throw error; });
  return opened;
}

/** Runs `work` in one transaction and resolves when it is on disk. `work` may not wait for anything but its requests. */
export async function transact<T>(
  stores: AnyStore[], mode: IDBTransactionMode, work: (tx: IDBTransaction) => T | PromiseLike<T>,
): Promise<T> {
  const db = await database();
  return new Promise<T>((resolve, reject) => {
    let tx: IDBTransaction;
    try {
      tx = db.transaction(stores, mode, { durability: "strict" });
    } catch (error) {
      opened = null;
      reject(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    let result: T;
    tx.oncomplete = () => resolve(result);
    tx.onerror = () => reject(tx.error ?? new Error("store: failed"));
    tx.onabort = () => reject(tx.error ?? new Error("store: aborted"));
    Promise.resolve(work(tx)).then((value) => { result = value; }, (error: unknown) => {
      reject(error instanceof Error ? error : new Error(String(error)));
      try { tx.abort(); } catch { /* already over */ }
    });
  });
}

export function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("store: request failed"));
  });
}

export async function read<T>(store: StoreName, key: IDBValidKey): Promise<T | null> {
  return transact([store], "readonly", async (tx) => ((await done(tx.objectStore(store).get(key))) as T | undefined) ?? null);
}

export async function readAll<T>(store: StoreName): Promise<T[]> {
  return transact([store], "readonly", (tx) => done(tx.objectStore(store).getAll() as IDBRequest<T[]>));
}

export async function write(store: StoreName, value: object): Promise<void> {
  await transact([store], "readwrite", (tx) => done(tx.objectStore(store).put(value)));
}

export async function erase(store: StoreName, key: IDBValidKey): Promise<void> {
  await transact([store], "readwrite", (tx) => done(tx.objectStore(store).delete(key)));
}

/** Reads, changes and writes one log head in one transaction. */
export async function changeHead(device: string, change: (head: LogHead) => void): Promise<void> {
  await transact(["logs"], "readwrite", async (tx) => {
    const logs = tx.objectStore("logs");
    const head = (await done(logs.get(device))) as LogHead | undefined;
    if (!head) return;
    change(head);
    await done(logs.put(head));
  });
}

export function rowsOf(device: string): IDBKeyRange {
  return IDBKeyRange.bound([device, 0], [device, Number.MAX_SAFE_INTEGER]);
}

export async function readEvents(device: string): Promise<LogEvent[]> {
  return transact(["events"], "readonly", async (tx) => {
    const rows = (await done(tx.objectStore("events").getAll(rowsOf(device)))) as Row[];
    return rows.map(({ device: _device, ...event }) => event);
  });
}

const DEFAULTS: Settings = { language: "kk", language_chosen: false, text_size: 100, current: null, hide_clock: false };

export async function readSettings(): Promise<Settings> {
  return { ...DEFAULTS, ...(await read<Partial<Settings>>("settings", "page")) };
}

export async function writeSettings(settings: Settings): Promise<void> {
  await write("settings", { name: "page", ...settings });
}

const PHONE_DAY_MS = 86_400_000;

/** A number of this browser for a day: staff see when two attempts are written on one phone at one time (SAFETY J4). */
export async function phone(): Promise<string> {
  const kept = await read<{ phone: string; drawn_ms: number }>("settings", "phone").catch(() => null);
  if (kept && Math.abs(Date.now() - kept.drawn_ms) < PHONE_DAY_MS) return kept.phone;
  const drawn = Array.from(randomBytes(16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  await write("settings", { name: "phone", phone: drawn, drawn_ms: Date.now() }).catch(() => undefined);
  return drawn;
}

/** After a durable finish only the receipt stays: answers, items, keys, pictures and token of the attempt go (SAFETY J7). */
export async function keepReceiptOnly(attempt: number, receipt: ReceiptRecord): Promise<void> {
  await transact(["logs", "events", "attempts", "files", "receipts"], "readwrite", async (tx) => {
    await done(tx.objectStore("receipts").put(receipt));
    const heads = (await done(tx.objectStore("logs").getAll())) as LogHead[];
    for (const head of heads.filter((one) => one.attempt === attempt)) {
      await done(tx.objectStore("events").delete(rowsOf(head.device)));
      await done(tx.objectStore("logs").delete(head.device));
    }
    await done(tx.objectStore("attempts").delete(attempt));
    const others = (await done(tx.objectStore("attempts").getAll())) as AttemptRecord[];
    if (others.length === 0) await done(tx.objectStore("files").clear());
  });
}
