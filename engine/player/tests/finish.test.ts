import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { finishIsOutdated, finishNote, logLine } from "../src/finish";
import type { LogEvent } from "../src/protocol";

const at = { anchor: "a", ms: 0 };
const EVENTS: LogEvent[] = [
  { seq: 1, kind: "start", value: { agent: "android/chrome 119", screen: "360x640" }, ...at },
  { seq: 2, kind: "view", item: 77, ...at },
  { seq: 3, kind: "answer", item: 77, value: { g1: 5, a: 6 }, ...at },
  { seq: 4, kind: "answer", item: 9, value: "«Отан» \"ә\"\n", ...at },
  { seq: 5, kind: "answer", item: 9, value: null, ...at },
  { seq: 6, kind: "answer", item: 4, value: [911, 54021], ...at },
];

test("a line an event: number, kind, item, value as it is sent", () => {
  expect(EVENTS.map(logLine)).toEqual([
    '1 start - {"agent":"android/chrome 119","screen":"360x640"}\n', "2 view 77 -\n", '3 answer 77 {"g1":5,"a":6}\n',
    '4 answer 9 "«Отан» \\"ә\\"\\n"\n', "5 answer 9 null\n", "6 answer 4 [911,54021]\n",
  ]);
});

test("the finish event counts what came before and hashes all of it", async () => {
  const hash = createHash("sha256").update(EVENTS.map(logLine).join(""), "utf8").digest("hex");
  expect(await finishNote(EVENTS, [])).toEqual({ count: 6, hash });
});

test("of a refused event only its number takes part", async () => {
  const lines = EVENTS.map(logLine);
  lines[3] = "4 refused - -\n";
  const hash = createHash("sha256").update(lines.join(""), "utf8").digest("hex");
  expect(await finishNote(EVENTS, [[4, 4]])).toEqual({ count: 6, hash });
});

test("a refusal heard after the hand-in asks for another one, unless the hand-in was taken back", async () => {
  const finish: LogEvent = { seq: 7, kind: "finish", value: { ...(await finishNote(EVENTS, [])) }, ...at };
  const answer: LogEvent = { seq: 8, kind: "answer", item: 4, value: [911], ...at };
  expect(await finishIsOutdated([...EVENTS, finish], [])).toBe(false);
  expect(await finishIsOutdated([...EVENTS, finish], [[4, 4]])).toBe(true);
  expect(await finishIsOutdated([...EVENTS, finish, answer], [[4, 4]])).toBe(false);
  const again: LogEvent = { seq: 8, kind: "finish", value: { ...(await finishNote([...EVENTS, finish], [[4, 4]])) }, ...at };
  expect(await finishIsOutdated([...EVENTS, finish, again], [[4, 4]])).toBe(false);
});
