import { expect, test } from "vitest";
import { NoLine, Refused } from "../src/api";
import { creditOf } from "../src/controls";
import { inVain, Tries } from "../src/tries";

function phone() {
  const at = { monotonic: 5_000, wall: 1_000_000 };
  return { at, hands: { monotonic: () => at.monotonic, wall: () => at.wall }, pass(ms: number) { at.monotonic += ms; at.wall += ms; } };
}

test("from the first try in vain until the step works, told once", () => {
  const { at, hands, pass } = phone();
  const tries = new Tries({}, hands);
  tries.failed("key", at.monotonic);
  pass(20_000);
  tries.failed("key", at.monotonic);
  pass(10_000);
  expect(tries.settled("key")).toBe(30_000);
  expect(tries.settled("key")).toBeNull();
});

test("a reload of the page forgets nothing, a wall clock set back takes nothing away", () => {
  const { at, hands, pass } = phone();
  const before = new Tries({}, hands);
  before.failed("sign-in", at.monotonic);
  pass(40_000);
  at.monotonic = 100; // another run of the page
  const after = new Tries(before.kept, hands);
  pass(5_000);
  expect(after.settled("sign-in")).toBe(45_000);
  const set = new Tries({}, hands);
  set.failed("key", at.monotonic);
  pass(60_000);
  at.wall -= 86_400_000;
  expect(set.settled("key")).toBe(60_000);
});

test("what worked at once is not told", () => {
  const { at, hands, pass } = phone();
  const tries = new Tries({}, hands);
  expect(tries.settled("resume")).toBeNull();
  tries.failed("resume", at.monotonic);
  pass(300);
  expect(tries.settled("resume")).toBeNull();
});

test("only no answer and «later» are tries in vain", () => {
  const refused = (status: number) => new Refused({ status, code: "any" }, 0);
  expect([new NoLine("gone"), refused(503), refused(500), refused(429)].map(inVain)).toEqual([true, true, true, true]);
  expect([refused(401), refused(403), refused(409), refused(425)].map(inVain)).toEqual([false, false, false, false]);
});

test("the newest credit stands", () => {
  const one = (version: number, credit_s: number, entry_s: number) => ({ version, kind: "credit", body: { credit_s, entry_s } });
  expect(creditOf([])).toEqual({ credit_s: 0, entry_s: 0 });
  expect(creditOf([one(7, 300, 0), one(4, 60, 360)])).toEqual({ credit_s: 300, entry_s: 0 });
});
