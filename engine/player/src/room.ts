/** The key's second channel: what a room's code opens when no key comes (docs/protocol.md, «Room codes»). */

import { fetchFile } from "./api";
import type { Clock } from "./clock";
import { creditOf, deadlineOf, isStopped, legOf, pausedSince } from "./controls";
import { open, sha256 } from "./crypto";
import { hex } from "./finish";
import type { OpenedNote } from "./protocol";
import { read, write, type AttemptRecord } from "./store";

const VERSION = 1;
const HEAD = 5;
const SALT = 16;

export interface Opened { number: number; keys: Record<string, string> }

/** Brings a blob to this device, and what opens it: later there may be no line for either. */
export async function fetchBlob(name: string): Promise<void> {
  await import("./stretch");
  if (await read("files", name)) return;
  const bytes = await fetchFile(name);
  if (hex(await sha256(bytes)) !== name) throw new Error("room: bytes do not fit their name");
  await write("files", { name, bytes });
}

/** The form's keys, null when this code does not open this blob: a slip of the finger, or another room's code. */
export async function openBlob(
  name: string, code: string, manifest: string, tell: (share: number) => void,
): Promise<Opened | null> {
  const blob = (await read<{ bytes: Uint8Array }>("files", name))?.bytes;
  if (!blob || blob[0] !== VERSION) throw new Error("room: no blob that this page can read");
  const number = new DataView(blob.buffer, blob.byteOffset).getUint32(1);
  const { stretch } = await import("./stretch");
  const key = await stretch(code, blob.subarray(HEAD, HEAD + SALT), tell);
  const bound = new TextEncoder().encode(`elumiti/room/${manifest}/${number}`);
  try {
    const plain = await open(key, blob.subarray(HEAD + SALT), bound);
    return { number, keys: JSON.parse(new TextDecoder().decode(plain)) as Record<string, string> };
  } catch {
    return null;
  }
}

/** Between T0 and the last entry, by the server's clock as it is known here, and nothing holds the start back. */
export function mayOpenByCode({ signed_in, controls }: AttemptRecord, clock: Clock): boolean {
  const { sitting, exam_room, seed } = signed_in;
  if (!exam_room?.blob || !seed || pausedSince(controls) !== null || isStopped(controls)) return false;
  const last_ms = sitting.last_entry_ms + 1000 * creditOf(controls).entry_s;
  return Math.min(clock.now(), clock.anchored()) >= sitting.starts_ms && clock.now() <= last_ms;
}

/** Makes the attempt start now, and says what its log is to tell of it. */
export function startByCode(record: AttemptRecord, clock: Clock, { keys, number }: Opened): OpenedNote {
  const { signed_in, controls } = record;
  const at_ms = Math.round(clock.now());
  const deadline_ms = deadlineOf(signed_in, controls, at_ms);
  Object.assign(record, { keys, seed: signed_in.seed ?? null, started_ms: at_ms, deadline_ms, step: "open" });
  return { number, leg: legOf(controls), at_ms, jump_ms: Math.max(0, clock.believed_ms) };
}
