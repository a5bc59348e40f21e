/** The finish event: how many events came before it, and one hash over all of them. */

import { sha256 } from "./crypto";
import type { FinishNote, Happening, LogEvent, Range } from "./protocol";
import { has } from "./ranges";

/** `seq kind item value`, `-` for none, the value as the JSON text that is sent. */
export function logLine(event: Happening & { seq: number }): string {
  const item = event.item === undefined ? "-" : String(event.item);
  const value = event.value === undefined ? "-" : JSON.stringify(event.value);
  return `${event.seq} ${event.kind} ${item} ${value}\n`;
}

/**
 * What a finish event with the number after the last of `events` says; `events` are all of the log, in order.
 * Of an event that the engine refused both sides have only its number: its line is `seq refused - -`.
 */
export async function finishNote(events: readonly LogEvent[], refused: readonly Range[]): Promise<FinishNote> {
  const text = events.map((event) => (has(refused, event.seq) ? `${event.seq} refused - -\n` : logLine(event))).join("");
  return { count: events.length, hash: hex(await sha256(new TextEncoder().encode(text))) };
}

/** Whether the hand-in that stands says something else than what is known now: a refusal was heard after it. */
export async function finishIsOutdated(events: readonly LogEvent[], refused: readonly Range[]): Promise<boolean> {
  if (refused.length === 0) return false;
  const last = events.reduce((newest, event) => (event.kind === "finish" ? event.seq : newest), 0);
  const said = events[last - 1]?.value as FinishNote | undefined;
  const takenBack = events.slice(last).some((event) => event.kind === "answer");
  return said !== undefined && !takenBack && said.hash !== (await finishNote(events.slice(0, last - 1), refused)).hash;
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
