/** Pictures made small and looked at, away from the page's own thread. */

import detector from "@vladmandic/face-api/model/tiny_face_detector_model-weights_manifest.json";
import points from "@vladmandic/face-api/model/face_landmark_68_tiny_model-weights_manifest.json";
import { glance, type Glance } from "./glance";
import { findFaces, isTurned, unpack, type Weights } from "./net";
import { FIRST_FIT, small, within, type Shot } from "./within";

/** What is wanted of a frame: a picture of at most so many bytes, a look at it, or both. */
export interface Wanted { bitmap: ImageBitmap; most_bytes: number | null; look: boolean }
export interface Faces { count: number; turned: boolean; took_ms: number }
export interface Sight { shot: Shot | null; glance: Glance | null; faces: Faces | null }
interface Page { postMessage(said: Sight): void; onmessage: ((heard: MessageEvent<{ models: string[] } | Wanted>) => void) | null }
type Params = ReturnType<typeof unpack>;

const page = self as unknown as Page;
/** Of the frame in which faces are looked for. */
const SIDE = 160;
let models: [Params, Params] | null = null;
let fit = FIRST_FIT;

page.onmessage = ({ data }) => {
  if ("models" in data) void load(data.models);
  else void see(data).then((sight) => page.postMessage(sight));
};

const listOf = (manifest: unknown) => (manifest as { weights: Weights[] }[])[0]?.weights ?? [];

async function load(addresses: string[]): Promise<void> {
  const [one, two] = await Promise.all(addresses.map(async (address) => {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`eyes: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  }));
  if (one && two) models = [unpack(listOf(detector), one), unpack(listOf(points), two)];
}

async function see({ bitmap, most_bytes, look }: Wanted): Promise<Sight> {
  const made = most_bytes === null ? null : await within(most_bytes, fit, (scale, quality) => {
    const canvas = drawn(bitmap, bitmap.width * scale, bitmap.height * scale);
    return small((type) => canvas.convertToBlob({ type, quality }));
  });
  fit = made?.fit ?? fit;
  const sight = { shot: made?.shot ?? null, glance: glance(pixels(drawn(bitmap, 32, 24))), faces: look ? faces(bitmap) : null };
  bitmap.close();
  return sight;
}

function faces(bitmap: ImageBitmap): Faces | null {
  if (!models) return null;
  const began = performance.now();
  const image = pixels(drawn(bitmap, SIDE, (SIDE * bitmap.height) / bitmap.width));
  if (!image) return null;
  const found = findFaces(models[0], image);
  const [nearest] = found;
  const turned = found.length === 1 && nearest !== undefined && isTurned(models[1], image, nearest);
  return { count: found.length, turned, took_ms: performance.now() - began };
}

function drawn(bitmap: ImageBitmap, width: number, height: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(Math.round(width), Math.round(height));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function pixels(canvas: OffscreenCanvas): ImageData | null {
  return canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? null;
}
