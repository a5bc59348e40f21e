import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { Log, TabLost, type Dated } from "../src/log";
import { ownerOf, sealEvents, unseal } from "../src/seal";
import { read, readEvents, type LogHead } from "../src/store";

const view = (item: number): Dated => ({ kind: "view", item, anchor: "a", ms: item });

async function fresh(): Promise<LogHead> {
  return Log.make("slip", new Uint8Array(32));
}

test("a device number is 128 random bits, another one for each log", async () => {
  const [one, other] = [await fresh(), await fresh()];
  expect(one.device).toMatch(/^[0-9a-f]{32}$/);
  expect(one.device).not.toBe(other.device);
});

test("numbers come one after the other, however many events happen at once", async () => {
  const { device } = await fresh();
  const log = await Log.open(device, "tab");
  await Promise.all(Array.from({ length: 50 }, (_, i) => log.append(() => view(i))));
  expect((await readEvents(device)).map((event) => event.seq)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  expect(log.events.map((event) => event.item)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expect((await read<LogHead>("logs", device))?.next).toBe(51);
});

test("a reload goes on with the next number", async () => {
  const { device } = await fresh();
  await (await Log.open(device, "one")).append(() => view(1));
  const event = await (await Log.open(device, "two")).append(() => view(2));
  expect(event.seq).toBe(2);
});

test("when another tab took over, the first one cannot write any more", async () => {
  const { device } = await fresh();
  const first = await Log.open(device, "one");
  await first.append(() => view(1));
  const second = await Log.open(device, "two");
  await expect(first.append(() => view(2))).rejects.toThrow(TabLost);
  expect((await second.append(() => view(3))).seq).toBe(2);
  expect(await readEvents(device)).toHaveLength(2);
});

test("a disk that does not write: kept in memory and said so, on disk in the same order when it writes again", async () => {
  const { device } = await fresh();
  const log = await Log.open(device, "tab");
  await log.append(() => view(1));
  const { add } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.add = () => { throw new DOMException("full", "QuotaExceededError"); };
  expect((await log.append(() => view(2))).seq).toBe(2);
  expect((await log.append(() => view(3))).seq).toBe(3);
  expect(log.unsavedCount).toBe(2);
  expect(log.last).toBe(3);
  IDBObjectStore.prototype.add = add;
  await log.append(() => view(4));
  expect(log.unsavedCount).toBe(0);
  expect((await readEvents(device)).map((event) => [event.seq, event.item])).toEqual([[1, 1], [2, 2], [3, 3], [4, 4]]);
});

test("a sealed log holds no word that can be read, and opens for its owner only", async () => {
  const owner = await ownerOf("K7QM2XW9PN4M", 14, 3);
  const { device } = await Log.make(owner.slip, owner.key);
  const log = await Log.open(device, "tab");
  await log.append(() => ({ kind: "answer", item: 9, value: "Туған жер", anchor: "a", ms: 1 }));
  const head = await read<LogHead>("logs", device);
  if (!head) throw new Error("no head");
  await sealEvents(head);
  expect(await readEvents(device)).toEqual([]);
  const sealed = await read<LogHead>("logs", device);
  if (!sealed) throw new Error("no head");
  expect(sealed.owner).toBeNull();
  await expect(unseal(device, (await ownerOf("K7QM2XW9PN4M", 15, 3)).key)).rejects.toThrow();
  await unseal(device, owner.key);
  expect((await readEvents(device))[0]?.value).toBe("Туған жер");
});

test("a log that was opened meanwhile is not sealed under its owner's hands", async () => {
  const owner = await ownerOf("K7QM2XW9PN4M", 14, 3);
  const { device } = await Log.make(owner.slip, owner.key);
  await (await Log.open(device, "debts")).append(() => ({ kind: "answer", item: 9, value: "Туған жер", anchor: "a", ms: 1 }));
  const head = await read<LogHead>("logs", device);
  if (!head) throw new Error("no head");
  const log = await Log.open(device, "tab");
  await sealEvents(head);
  await log.append(() => ({ kind: "answer", item: 10, value: "Алатау", anchor: "a", ms: 2 }));
  expect((await readEvents(device)).map((event) => event.value)).toEqual(["Туған жер", "Алатау"]);
});
