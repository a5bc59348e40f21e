import "fake-indexeddb/auto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Clock } from "../src/clock";
import { ROOM_CODE_LENGTH, codeFits, readCode, showCode } from "../src/code";
import { deadlineOf, legOf, restarted } from "../src/controls";
import type { SignInReply } from "../src/protocol";
import { mayOpenByCode, openBlob, startByCode } from "../src/room";
import { write, type AttemptRecord } from "../src/store";

interface Vector { code: string; number: number; manifest: string; keys: Record<string, string>; blob: string }
const VECTOR = JSON.parse(readFileSync(new URL("../vectors/room.json", import.meta.url), "utf8")) as Vector;
const T0 = 1_764_057_600_000;
const none = () => undefined;

function record(more: Partial<AttemptRecord> = {}): AttemptRecord {
  const sitting = { starts_ms: T0, last_entry_ms: T0 + 900_000, waiting_opens_ms: T0 - 3_600_000, duration_s: 3600, ends_ms: null, extra_s: 600 };
  const exam_room = { number: 17, name: "3-кабинет", blob: "a", reserve: "b" };
  const signed_in = { sitting, exam_room, seed: "8a".repeat(16), manifest: VECTOR.manifest, reserve: "c" } as unknown as SignInReply;
  return { signed_in, controls: [], step: "waiting", ...more } as AttemptRecord;
}

/** A phone that heard the server `before` milliseconds ago, when it was `at`. */
function phone(at: number, before = 0) {
  const time = { monotonic: 5_000, wall: T0 - 90_000_000 };
  const clock = new Clock({ monotonic: () => time.monotonic, wall: () => time.wall });
  clock.heard({ now_ms: at, now: "signed" }, time.monotonic - 20, time.monotonic);
  time.monotonic += before;
  time.wall += before;
  return { clock, time };
}

test("the packer's blob opens by its code, and by no other code or form", async () => {
  await write("files", { name: "blob", bytes: Uint8Array.from(VECTOR.blob.match(/../g) ?? [], (two) => parseInt(two, 16)) });
  expect(await openBlob("blob", VECTOR.code, VECTOR.manifest, none)).toEqual({ number: VECTOR.number, keys: VECTOR.keys });
  expect(await openBlob("blob", "0".repeat(17), VECTOR.manifest, none)).toBeNull();
  expect(await openBlob("blob", VECTOR.code, "0".repeat(64), none)).toBeNull();
});

test("a room's code has seventeen characters, and a slip of the finger shows", () => {
  expect(VECTOR.code).toHaveLength(ROOM_CODE_LENGTH);
  expect(readCode(` ${showCode(VECTOR.code).toLowerCase()} `, ROOM_CODE_LENGTH)).toBe(VECTOR.code);
  expect(codeFits(VECTOR.code, ROOM_CODE_LENGTH)).toBe(true);
  expect(codeFits(`8${VECTOR.code.slice(1)}`, ROOM_CODE_LENGTH)).toBe(false);
  expect(codeFits(VECTOR.code)).toBe(false);
});

test("between T0 and the last entry by the server's clock, and only with a room", () => {
  expect(mayOpenByCode(record(), phone(T0 - 1_000).clock)).toBe(false);
  expect(mayOpenByCode(record(), phone(T0 - 1_000, 1_000).clock)).toBe(true);
  expect(mayOpenByCode(record(), phone(T0, 899_000).clock)).toBe(true);
  expect(mayOpenByCode(record(), phone(T0, 901_000).clock)).toBe(false);
  const home = record();
  delete home.signed_in.exam_room;
  expect(mayOpenByCode(home, phone(T0, 60_000).clock)).toBe(false);
  const held = record({ controls: [{ version: 1, kind: "pause", body: { since_ms: T0 - 5 } }] });
  expect(mayOpenByCode(held, phone(T0, 60_000).clock)).toBe(false);
});

test("a phone whose clock is set forward is corrected by the next word of the server", () => {
  const { clock, time } = phone(T0 - 600_000);
  time.wall += 7_200_000;
  expect(clock.jumped()).toBe(true);
  clock.heard({ now_ms: T0 - 599_900, now: "next" }, time.monotonic, time.monotonic + 20);
  expect(mayOpenByCode(record(), clock)).toBe(false);
  expect(clock.believed_ms).toBe(0);
});

test("without a line a set clock looks like sleep: the log says how much of the time is the phone's own", () => {
  const { clock, time } = phone(T0 - 600_000);
  time.wall += 700_000;
  clock.jumped();
  const one = record();
  const note = startByCode(one, clock, { number: 17, keys: VECTOR.keys });
  expect(note).toMatchObject({ number: 17, leg: 0, jump_ms: 700_000 });
  expect(one.step).toBe("open");
});

test("the start is now, the deadline as the engine counts it", () => {
  const one = record({ controls: [{ version: 1, kind: "resume", body: { paused_s: 60 } }, { version: 2, kind: "credit", body: { credit_s: 30 } }] });
  const { at_ms } = startByCode(one, phone(T0, 45_000).clock, { number: 17, keys: VECTOR.keys });
  expect(at_ms).toBe(T0 + 45_010);
  expect(one.started_ms).toBe(at_ms);
  expect(one.deadline_ms).toBe(at_ms + 1000 * (3600 + 600 + 60 + 30));
  one.signed_in.sitting.ends_ms = T0 + 4_000_000;
  expect(deadlineOf(one.signed_in, [], at_ms)).toBe(T0 + 4_600_000);
});

test("after a restart the reserve's blob is the one", () => {
  const before = record().signed_in;
  const body = { starts_ms: T0 + 86_400_000, last_entry_ms: T0 + 87_300_000, manifest: "c" };
  expect(restarted(before, body).exam_room).toEqual({ number: 17, name: "3-кабинет", blob: "b", reserve: "" });
  expect(legOf([{ version: 3, kind: "restart", body }])).toBe(1);
});
