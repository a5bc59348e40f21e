/**
 * Who makes the pictures small and looks at them: a worker, so that no tap waits for it. Where a browser gives workers no
 * canvas (Safari before 16.4) the page makes the picture itself, and nobody looks for faces.
 */

import detector from "@vladmandic/face-api/model/tiny_face_detector_model.bin?url";
import points from "@vladmandic/face-api/model/face_landmark_68_tiny_model.bin?url";
import { eyesAddress } from "../html";
import type { Camera } from "./camera";
import script from "./eyes_worker?worker&url";
import type { Faces, Sight, Wanted } from "./eyes_worker";

/** Slower than this twice, and the phone needs its strength for the test. */
const SLOWEST_MS = 900;
const NO_ANSWER_MS = 10_000;

export class Eyes {
  private worker: Worker | null = null;
  private looks = !isWeak();
  private slow = 0;
  private answered: ((sight: Sight | null) => void) | null = null;

  /** Once, and not before the first question is on the screen. */
  open(): void {
    if (this.worker || typeof Worker === "undefined" || typeof OffscreenCanvas === "undefined") return;
    try {
      this.worker = new Worker(eyesAddress(script));
      this.worker.onmessage = ({ data }: MessageEvent<Sight>) => this.answered?.(data);
      this.worker.onerror = () => this.close();
      if (this.looks) this.worker.postMessage({ models: [detector, points].map((path) => new URL(path, location.href).href) });
    } catch {
      this.close();
    }
  }

  /** A picture, a look, or both of one frame; null when there is none. One at a time. */
  async see(camera: Camera, most_bytes: number | null, look: boolean): Promise<Sight | null> {
    if (!this.worker) return camera.see(most_bytes);
    const bitmap = await camera.grab();
    if (!bitmap) return null;
    const wanted: Wanted = { bitmap, most_bytes, look: look && this.looks };
    const sight = await new Promise<Sight | null>((done) => {
      const timer = setTimeout(() => done(null), NO_ANSWER_MS);
      this.answered = (one) => { clearTimeout(timer); done(one); };
      this.worker?.postMessage(wanted, [bitmap]);
    });
    this.answered = null;
    if (wanted.look && sight?.faces) this.slow = sight.faces.took_ms > SLOWEST_MS ? this.slow + 1 : 0;
    if (!sight) this.slow += 1;
    if (this.slow >= 2) this.looks = false;
    return sight;
  }

  close(): void {
    this.answered?.(null);
    this.worker?.terminate();
    this.worker = null;
  }
}

/** The kinds of events that a look means. */
export function kindsOf({ count, turned }: Faces): string[] {
  if (count === 0) return ["no-face"];
  return count > 1 ? ["several-faces"] : turned ? ["head-turned"] : [];
}

function isWeak(): boolean {
  const { deviceMemory = 4, hardwareConcurrency = 4 } = navigator as Navigator & { deviceMemory?: number };
  return deviceMemory <= 1 || hardwareConcurrency <= 1;
}
