/** How many faces there are and whether one is turned away, found by a worker; nothing on a phone that is too weak for it. */

import detector from "@vladmandic/face-api/model/tiny_face_detector_model.bin?url";
import points from "@vladmandic/face-api/model/face_landmark_68_tiny_model.bin?url";
import { facesAddress } from "../html";
import type { Camera } from "./camera";
import script from "./faces_worker?worker&url";
import type { Seen } from "./net";

const SIDE = 160;
/** Slower than this, and the phone needs its strength for the test. */
const SLOWEST_MS = 900;
const NO_ANSWER_MS = 10_000;

export class Faces {
  private worker: Worker | null = null;
  private ready = false;
  private slow = 0;
  private answered: ((seen: Seen | null) => void) | null = null;

  /** Once, and not before the first question is on the screen. */
  load(): void {
    if (this.worker || isWeak()) return;
    try {
      const worker = (this.worker = new Worker(facesAddress(script)));
      worker.onmessage = ({ data }: MessageEvent<Seen | "ready">) => {
        if (data === "ready") this.ready = true;
        else this.answered?.(data);
      };
      worker.onerror = () => this.end();
      worker.postMessage({ models: [detector, points].map((path) => new URL(path, location.href).href) });
    } catch {
      this.end();
    }
  }

  /** Kinds of events that hold now; null: not known. */
  async look(camera: Camera | null): Promise<string[] | null> {
    const frame = this.ready ? camera?.frame(SIDE) : null;
    if (!frame || !this.worker) return null;
    const { data, width, height } = frame;
    const seen = await new Promise<Seen | null>((done) => {
      const timer = setTimeout(() => done(null), NO_ANSWER_MS);
      this.answered = (one) => { clearTimeout(timer); done(one); };
      this.worker?.postMessage({ pixels: data.buffer, width, height }, [data.buffer]);
    });
    this.answered = null;
    this.slow = !seen || seen.took_ms > SLOWEST_MS ? this.slow + 1 : 0;
    if (this.slow >= 2) this.end();
    if (!seen) return null;
    return seen.faces === 0 ? ["no-face"] : seen.faces > 1 ? ["several-faces"] : seen.turned ? ["head-turned"] : [];
  }

  end(): void {
    this.worker?.terminate();
    this.worker = null;
    this.ready = false;
  }
}

function isWeak(): boolean {
  const { deviceMemory = 4, hardwareConcurrency = 4 } = navigator as Navigator & { deviceMemory?: number };
  return deviceMemory <= 1 || hardwareConcurrency <= 1 || typeof Worker === "undefined";
}
