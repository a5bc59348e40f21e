/** The finish event: how many events came before it, and one hash over all of them. */

import { sha256 } from "./crypto";
import type { FinishNote, Happening, LogEvent } from "./protocol";

/** `seq kind item value`, `-` for none, the value as the JSON text that is sent. */
export function logLine(event: Happening & { seq: number }): string {
  const item = event.item === undefined ? "-" : String(event.item);
  const value = event.value === undefined ? "-" : JSON.stringify(event.value);
  return `${event.seq} ${event.kind} ${item} ${value}\n`;
}

/** What a finish event with the number after the last of `events` says; `events` are all of the log, in order. */
export async function finishNote(events: readonly LogEvent[]): Promise<FinishNote> {
  const text = events.map(logLine).join("");
  return { count: events.length, hash: hex(await sha256(new TextEncoder().encode(text))) };
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
