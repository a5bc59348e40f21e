import "fake-indexeddb/auto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import detector from "@vladmandic/face-api/model/tiny_face_detector_model-weights_manifest.json";
import { glance, isDark } from "../src/watch/glance";
import { looksVirtual, troubleOf } from "../src/watch/camera";
import { findFaces, unpack, type Weights } from "../src/watch/net";
import { eraseWatch, Queue } from "../src/watch/queue";
import { Spans } from "../src/watch/spans";

const picture = (at: number) => ({ at, kind: "snapshot" as const, type: "image/webp", body: new ArrayBuffer(8) });

test("the newest forty pictures wait, and the photo of the face goes last", async () => {
  const queue = await Queue.open(1);
  await queue.addPicture({ ...picture(0), kind: "identity" });
  for (let at = 1; at <= 50; at++) await queue.addPicture(picture(at));
  expect(queue.pictures).toHaveLength(40);
  expect(queue.pictures[0]?.kind).toBe("identity");
  expect(queue.pictures[39]?.n).toBe(51);
  const again = await Queue.open(1);
  expect(again.pictures.map(({ n }) => n)).toEqual(queue.pictures.map(({ n }) => n));
});

test("numbers go on after a new start of the page, also when all was stored", async () => {
  const queue = await Queue.open(2);
  await queue.addPicture(picture(1));
  await queue.dropPictures([1]);
  const again = await Queue.open(2);
  await again.addPicture(picture(2));
  expect(again.pictures.map(({ n }) => n)).toEqual([2]);
});

test("nothing of an attempt stays, and a brother's stays", async () => {
  const [mine, his] = [await Queue.open(3), await Queue.open(4)];
  await mine.addPicture(picture(1));
  await mine.addEvent("tab-left", 1, {});
  await his.addPicture(picture(1));
  await eraseWatch(3);
  expect((await Queue.open(3)).pictures).toEqual([]);
  expect((await Queue.open(3)).events).toEqual([]);
  expect((await Queue.open(4)).pictures).toHaveLength(1);
});

test("one wrong look is no event; a long absence is told of while it lasts", () => {
  const spans = new Spans();
  expect(spans.see(["no-face"], 0)).toEqual([]);
  expect(spans.see([], 5_000)).toEqual([]);
  expect(spans.see(["no-face"], 10_000)).toEqual([]);
  expect(spans.see(["no-face"], 15_000)).toEqual([]);
  expect(spans.see([], 20_000)).toEqual([{ kind: "no-face", at: 10_000, ms: 10_000 }]);
  for (let at = 30_000; at < 90_000; at += 5_000) expect(spans.see(["several-faces"], at)).toEqual([]);
  expect(spans.see(["several-faces"], 90_000)).toEqual([{ kind: "several-faces", at: 30_000, ms: 60_000 }]);
});

test("what was begun before the page was hidden is not told of", () => {
  const spans = new Spans();
  spans.see(["no-face"], 0);
  spans.see(["no-face"], 5_000);
  spans.forget();
  expect(spans.see([], 90_000)).toEqual([]);
});

const image = (width: number, height: number, of: (i: number) => number) =>
  ({ width, height, data: Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) => (i % 4 === 3 ? 255 : of(i))) }) as unknown as ImageData;

test("a dark frame is told from a light one, the same from another", () => {
  const [dark, light] = [glance(image(32, 24, () => 12)), glance(image(32, 24, (i) => i % 200))];
  expect(dark && isDark(dark)).toBe(true);
  expect(light && isDark(light)).toBe(false);
  expect(glance(image(32, 24, () => 12))?.mark).toBe(dark?.mark);
  expect(light?.mark).not.toBe(dark?.mark);
});

test("an empty frame has no face, and all weights of the file are read", () => {
  const [{ weights }] = detector as unknown as [{ weights: Weights[] }];
  const bytes = new Uint8Array(readFileSync("node_modules/@vladmandic/face-api/model/tiny_face_detector_model.bin"));
  const params = unpack(weights, bytes);
  expect([...params.values()].reduce((sum, one) => sum + one.length, 0)).toBe(bytes.length);
  expect(findFaces(params, image(160, 120, () => 128))).toEqual([]);
});

test("why there is no camera, and which cameras are programs", () => {
  expect(troubleOf(new DOMException("", "NotAllowedError"))).toBe("denied");
  expect(troubleOf(new DOMException("", "NotFoundError"))).toBe("none");
  expect(troubleOf(new DOMException("", "NotReadableError"))).toBe("busy");
  expect(looksVirtual("OBS Virtual Camera")).toBe(true);
  expect(looksVirtual("HP TrueVision HD Camera")).toBe(false);
  expect(looksVirtual("camera2 1, facing front")).toBe(false);
});
