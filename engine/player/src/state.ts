/** The pupil's paper as it follows from the log, event by event: a pure reducer, the same after each reload. */

import type { Language, LogEvent, Value } from "./protocol";
import type { Merged } from "./store";

export interface Paper {
  answers: ReadonlyMap<number, Value>;
  marked: ReadonlySet<number>;
  seen: ReadonlySet<number>;
  reported: ReadonlySet<number>;
  place: number | null;
  language: Language | null;
  started: boolean;
  /** Number of the last hand-in, 0 for none. */
  finish: number;
}

export const EMPTY_PAPER: Paper = {
  answers: new Map(), marked: new Set(), seen: new Set(), reported: new Set(),
  place: null, language: null, started: false, finish: 0,
};

/** What other devices of this attempt had; this device's own events come on top. */
export function paperFrom(merged: Merged | null): Paper {
  if (!merged) return EMPTY_PAPER;
  const answers = new Map<number, Value>();
  for (const [item, { value }] of Object.entries(merged.answers)) if (!isEmpty(value)) answers.set(Number(item), value);
  return { ...EMPTY_PAPER, answers, marked: new Set(merged.marked), seen: new Set(answers.keys()), place: merged.place };
}

export function reduce(paper: Paper, event: LogEvent): Paper {
  const { item } = event;
  switch (event.kind) {
    case "answer": {
      if (item === undefined) return paper;
      const answers = new Map(paper.answers);
      const value = (event.value ?? null) as Value;
      if (isEmpty(value)) answers.delete(item);
      else answers.set(item, value);
      return { ...paper, answers };
    }
    case "view":
      return item === undefined ? paper : { ...paper, place: item, seen: new Set(paper.seen).add(item) };
    case "mark":
      return item === undefined ? paper : { ...paper, marked: new Set(paper.marked).add(item) };
    case "unmark": {
      const marked = new Set(paper.marked);
      if (item !== undefined) marked.delete(item);
      return { ...paper, marked };
    }
    case "report":
      return item === undefined ? paper : { ...paper, reported: new Set(paper.reported).add(item) };
    case "language":
      return { ...paper, language: event.value as Language };
    case "start":
      return { ...paper, started: true };
    case "finish":
      return { ...paper, finish: event.seq };
    default:
      return paper;
  }
}

export function isEmpty(value: Value | undefined): boolean {
  if (value === null || value === undefined || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}
