import { expect, test } from "vitest";
import { Clock } from "../src/clock";

const SERVER = 1_764_057_000_000;

/** A phone whose wall clock is a day and an hour behind; `pass` lets time go by, `sleep` only for the wall clock. */
function phone() {
  const at = { monotonic: 5_000, wall: SERVER - 90_000_000 };
  return {
    at,
    hands: { monotonic: () => at.monotonic, wall: () => at.wall },
    pass(ms: number) { at.monotonic += ms; at.wall += ms; },
    sleep(ms: number) { at.wall += ms; },
  };
}

test("the server's time counts, whatever the phone's clock says", () => {
  const { at, hands, pass } = phone();
  const clock = new Clock(hands);
  clock.heard({ now_ms: SERVER, now: "a" }, at.monotonic - 100, at.monotonic);
  expect(clock.now()).toBe(SERVER + 50);
  pass(60_000);
  at.wall -= 86_400_000; // a child sets the clock back
  expect(clock.now()).toBe(SERVER + 60_050);
});

test("of all samples the one with the shortest round trip counts", () => {
  const { at, hands, pass } = phone();
  const clock = new Clock(hands);
  clock.heard({ now_ms: SERVER, now: "a" }, at.monotonic - 40, at.monotonic);
  const right = clock.now();
  pass(1_000);
  // 3 s on the way, all of it before the server looked at its clock: 1.5 s of error.
  clock.heard({ now_ms: SERVER + 1_000, now: "b" }, at.monotonic - 3_000, at.monotonic);
  expect(clock.now()).toBe(right + 1_000);
  pass(1_000);
  clock.heard({ now_ms: SERVER + 2_005, now: "c" }, at.monotonic - 10, at.monotonic);
  expect(clock.now()).toBe(SERVER + 2_010);
});

test("a step larger than the round trips explain is believed", () => {
  const { at, hands } = phone();
  const clock = new Clock(hands);
  clock.heard({ now_ms: SERVER, now: "a" }, at.monotonic - 10, at.monotonic);
  clock.heard({ now_ms: SERVER + 600_000, now: "b" }, at.monotonic - 400, at.monotonic);
  expect(Math.abs(clock.now() - SERVER - 600_000)).toBeLessThan(400);
});

test("events are dated by the newest signed time and never go backwards", () => {
  const { at, hands, pass } = phone();
  const clock = new Clock(hands);
  clock.heard({ now_ms: SERVER, now: "first" }, at.monotonic - 10, at.monotonic);
  pass(1_234);
  expect(clock.stamp()).toEqual({ anchor: "first", ms: 1_234 });
  clock.heard({ now_ms: SERVER - 5_000, now: "older" }, at.monotonic - 10, at.monotonic);
  expect(clock.stamp().anchor).toBe("first");
  clock.heard({ now_ms: SERVER + 2_000, now: "second" }, at.monotonic - 10, at.monotonic);
  expect(clock.stamp()).toEqual({ anchor: "second", ms: 0 });
});

test("the next run of the page goes on from the kept anchor without a network", () => {
  const { at, hands, pass, sleep } = phone();
  const before = new Clock(hands);
  before.heard({ now_ms: SERVER, now: "a" }, at.monotonic - 20, at.monotonic);
  pass(10_000);
  const record = before.record();
  at.monotonic = 0; // a new page
  sleep(50_000);
  const after = new Clock(hands);
  if (!record) throw new Error("no record");
  after.restore(record, 9_000);
  expect(after.stamp()).toEqual({ anchor: "a", ms: 60_000 });
  expect(Math.abs(after.now() - SERVER - 60_010)).toBeLessThan(20);
  expect(after.synced).toBe(false);
});

test("with the clock set back between two runs, time does not run backwards", () => {
  const { at, hands, pass } = phone();
  const before = new Clock(hands);
  before.heard({ now_ms: SERVER, now: "a" }, at.monotonic, at.monotonic);
  pass(30_000);
  const record = before.record();
  at.wall -= 3_600_000;
  const after = new Clock(hands);
  if (!record) throw new Error("no record");
  after.restore(record, 30_000);
  expect(after.stamp().ms).toBeGreaterThanOrEqual(30_000);
  expect(after.now()).toBeGreaterThanOrEqual(SERVER);
});

test("sleep of the phone is believed and asks for a new sample; a clock set back is not", () => {
  const { at, hands, pass, sleep } = phone();
  const clock = new Clock(hands);
  clock.heard({ now_ms: SERVER, now: "a" }, at.monotonic, at.monotonic);
  pass(1_000);
  expect(clock.jumped()).toBe(false);
  sleep(600_000);
  expect(clock.jumped()).toBe(true);
  expect(clock.now()).toBe(SERVER + 601_000);
  sleep(-900_000);
  expect(clock.jumped()).toBe(true);
  expect(clock.now()).toBe(SERVER + 601_000);
});
