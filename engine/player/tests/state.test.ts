import { expect, test } from "vitest";
import { applyControls, endsAt, errata, pausedSince } from "../src/controls";
import type { Happening, LogEvent } from "../src/protocol";
import { EMPTY_PAPER, paperFrom, reduce } from "../src/state";

const paper = (happenings: Happening[], from = EMPTY_PAPER) =>
  happenings.map((one, i): LogEvent => ({ seq: i + 1, anchor: "a", ms: i, ...one })).reduce(reduce, from);

test("the last choice stands, a cleared answer is none", () => {
  const { answers } = paper([
    { kind: "answer", item: 1, value: 11 }, { kind: "answer", item: 1, value: 12 },
    { kind: "answer", item: 2, value: [21] }, { kind: "answer", item: 2, value: [] },
    { kind: "answer", item: 3, value: { g: 1 } }, { kind: "answer", item: 3, value: null }, { kind: "answer", item: 4, value: "" },
  ]);
  expect([...answers]).toEqual([[1, 12]]);
});

test("place, marks, reports and the last hand-in follow from the log", () => {
  const one = paper([
    { kind: "view", item: 1 }, { kind: "mark", item: 1 }, { kind: "view", item: 2 }, { kind: "unmark", item: 1 }, { kind: "mark", item: 2 },
    { kind: "report", item: 2, value: "wording" }, { kind: "finish", value: { count: 6, hash: "" } },
  ]);
  expect(one).toMatchObject({ place: 2, finish: 7 });
  expect([[...one.marked], [...one.reported], [...one.seen]]).toEqual([[2], [2], [1, 2]]);
});

test("answers of another device lie under those of this one", () => {
  const base = paperFrom({ complete: true, answers: { 1: { value: 11 }, 2: { value: 22 } }, marked: [2], place: 2 });
  expect([...paper([{ kind: "answer", item: 1, value: 12 }], base).answers]).toEqual([[1, 12], [2, 22]]);
});

test("controls: older ones are ignored, values are absolute, errata and messages stay", () => {
  const first = applyControls([], 0, { version: 3, items: [
    { version: 2, kind: "erratum", body: { item: 5, text: { kk: "ә" } } }, { version: 3, kind: "pause", body: { since_ms: 100 } }, { version: 1, kind: "message", body: { text: { kk: "а" } } },
  ] });
  expect(first.fresh.map((one) => one.version)).toEqual([1, 2, 3]);
  expect(pausedSince(first.controls)).toBe(100);
  const late = applyControls(first.controls, first.version, { version: 3, items: [{ version: 3, kind: "pause", body: { since_ms: 999 } }] });
  expect(late.fresh).toEqual([]);
  const then = applyControls(first.controls, 3, { version: 5, items: [{ version: 4, kind: "resume", body: { paused_s: 60 } }, { version: 5, kind: "end", body: { at_ms: 7 } }] });
  expect(pausedSince(then.controls)).toBeNull();
  expect(endsAt(then.controls)).toBe(7);
  expect(errata(then.controls).get(5)).toEqual({ kk: "ә" });
  const open = applyControls(then.controls, 5, { version: 6, items: [{ version: 6, kind: "reopen", body: { at_ms: 8 } }] });
  expect(endsAt(open.controls)).toBeNull();
});
