/** The face check, away from the page's own thread. */

import detector from "@vladmandic/face-api/model/tiny_face_detector_model-weights_manifest.json";
import points from "@vladmandic/face-api/model/face_landmark_68_tiny_model-weights_manifest.json";
import { findFaces, isTurned, unpack, type Seen, type Weights } from "./net";

interface Page { postMessage(said: Seen | "ready"): void; onmessage: ((heard: MessageEvent<Load | Frame>) => void) | null; close(): void }
interface Load { models: [string, string] }
interface Frame { pixels: ArrayBuffer; width: number; height: number }
type Params = ReturnType<typeof unpack>;

const page = self as unknown as Page;
let loaded: [Params, Params] | null = null;

const listOf = (manifest: unknown) => (manifest as { weights: Weights[] }[])[0]?.weights ?? [];

page.onmessage = ({ data }) => {
  if ("models" in data) void load(data);
  else if (loaded) page.postMessage(seen(data, ...loaded));
};

async function load({ models }: Load): Promise<void> {
  const [one, two] = await Promise.all(models.map(async (address) => {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`faces: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  }));
  if (!one || !two) return;
  loaded = [unpack(listOf(detector), one), unpack(listOf(points), two)];
  page.postMessage("ready");
}

function seen({ pixels, width, height }: Frame, finding: Params, turning: Params): Seen {
  const began = performance.now();
  const image = { width, height, data: new Uint8ClampedArray(pixels) } as ImageData;
  const faces = findFaces(finding, image);
  const [nearest] = faces;
  const turned = faces.length === 1 && nearest !== undefined && isTurned(turning, image, nearest);
  return { faces: faces.length, turned, took_ms: performance.now() - began };
}
