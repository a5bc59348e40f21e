import "fake-indexeddb/auto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeWay, sendDebts } from "../src/debts";
import { Log } from "../src/log";
import { ownerOf } from "../src/seal";
import { changeHead, erase, read, readAll, readEvents, type LogHead } from "../src/store";
import { hold, TAB } from "../src/tab";

/** Web Locks of one page: first come, first served; the lock is free when the callback's promise ends. */
class Locks {
  private readonly held = new Map<string, Promise<unknown>>();
  async request(name: string, options: LockOptions, use: () => Promise<unknown>): Promise<unknown> {
    while (this.held.has(name)) {
      const given = new Promise<never>((_, no) => options.signal?.addEventListener("abort", () => no(new Error("aborted"))));
      await Promise.race([this.held.get(name), given]);
    }
    const used = use();
    this.held.set(name, used);
    await used;
    this.held.delete(name);
    return undefined;
  }
  query = async () => ({ held: [...this.held.keys()].map((name) => ({ name })), pending: [] });
}

let answer: (response: Response) => void;
let asked: Promise<void>;

beforeEach(() => {
  vi.stubGlobal("navigator", { locks: new Locks(), onLine: true });
  let wasAsked: () => void;
  asked = new Promise((yes) => { wasAsked = yes; });
  vi.stubGlobal("fetch", () => {
    wasAsked();
    return new Promise<Response>((yes) => { answer = yes; });
  });
  vi.spyOn(Math, "random").mockReturnValue(0);
});
afterEach(async () => {
  await makeWay(null);
  for (const { device } of await readAll<LogHead>("logs")) await erase("logs", device);
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

async function indebted(): Promise<string> {
  const owner = await ownerOf("K7QM2XW9PN4M", 14, 3);
  const { device } = await Log.make(owner.slip, owner.key);
  await (await Log.open(device, TAB)).append(() => ({ kind: "answer", item: 9, value: "Туған жер", anchor: "a", ms: 1 }));
  await changeHead(device, (head) => Object.assign(head, { attempt: 7, token: "t" }));
  return device;
}

function reply(more: object): void {
  const told = { now_ms: 1, now: "n", generation: 0, next_save_s: 30, room: 20, ...more };
  answer(new Response(JSON.stringify(told), { headers: { "content-type": "application/json" } }));
}

test("the owner who comes at once finds his log free", async () => {
  const device = await indebted();
  void sendDebts();
  await makeWay(device);
  expect(await hold(device, "ask", () => undefined)).not.toBeNull();
});

test("the owner who comes during a save writes on; its late answer changes nothing of his", async () => {
  const device = await indebted();
  void sendDebts();
  await asked;
  await makeWay(device);
  const held = await hold(device, "ask", () => undefined);
  const log = await Log.open(device, TAB);
  await log.append(() => ({ kind: "answer", item: 10, value: "Алатау", anchor: "a", ms: 2 }));
  reply({ final: { code: "A", at_ms: 1, count: 1 } });
  await new Promise((later) => setTimeout(later, 50));
  await log.append(() => ({ kind: "answer", item: 11, value: "Есіл", anchor: "a", ms: 3 }));
  expect((await readEvents(device)).map((event) => event.value)).toEqual(["Туған жер", "Алатау", "Есіл"]);
  expect((await read<LogHead>("logs", device))?.owner).not.toBeNull();
  held?.release();
});

test("a receipt for an older log leaves alone what its owner writes into the newer one", async () => {
  await indebted();
  const mine = await indebted();
  await makeWay(mine);
  const log = await Log.open(mine, TAB);
  void sendDebts();
  await asked;
  reply({ final: { code: "A", at_ms: 1, count: 1 } });
  await vi.waitFor(async () => expect((await readAll<LogHead>("logs")).filter((head) => head.owner)).toHaveLength(1));
  await log.append(() => ({ kind: "answer", item: 10, value: "Алатау", anchor: "a", ms: 2 }));
  expect((await readEvents(mine)).map((event) => event.value)).toEqual(["Туған жер", "Алатау"]);
});
