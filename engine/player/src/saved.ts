/** What the save line says: of the answered questions, how many newest answers are on the device, at the server, for good. */

import type { Attempt } from "./attempt";
import { has } from "./ranges";

export type SaveLevel = "memory" | "writing" | "device" | "server" | "durable";
export interface Saved { all: number; device: number; server: number; durable: number; level: SaveLevel }

export function savedOf(attempt: Attempt): Saved {
  const { ledger } = attempt.sender;
  const received = new Set(ledger.state.acknowledged.flatMap((group) => group.seqs));
  const newest = new Map<number, number>();
  for (const { kind, item, seq } of attempt.events) if (kind === "answer" && item !== undefined) newest.set(item, seq);
  const onDisk = attempt.log.last - attempt.log.unsavedCount;
  const saved = { all: 0, device: 0, server: 0, durable: 0 };
  // Answers that came from another device are the server's already.
  for (const item of attempt.paper.answers.keys()) if (!newest.has(item)) newest.set(item, 0);
  for (const seq of newest.values()) {
    const durable = seq === 0 || !ledger.owes(seq);
    saved.all += 1;
    if (seq <= onDisk) saved.device += 1;
    if (durable || received.has(seq) || has(ledger.state.refused, seq)) saved.server += 1;
    if (durable) saved.durable += 1;
  }
  return { ...saved, level: levelOf(saved, attempt) };
}

function levelOf(saved: Omit<Saved, "level">, attempt: Attempt): SaveLevel {
  if (attempt.log.unsavedCount > 0) return "memory";
  // What was typed a moment ago rests before it is written: not called kept before the disk has it (rule 12).
  if (attempt.writing > 0 || attempt.draft) return "writing";
  if (saved.server < saved.all) return "device";
  return saved.durable < saved.all ? "server" : "durable";
}
