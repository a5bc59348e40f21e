/** The camera: opened by the child's own touch, small pictures out of it, closed again for good. */

import { glance, type Glance } from "./glance";

export type Trouble = "denied" | "none" | "busy";
export interface Shot { body: ArrayBuffer; type: string }

const SNAPSHOT = { width: 320, height: 240 };
const PORTRAIT = { width: 640, height: 480 };
const LOWEST_QUALITY = 0.2;
const TRIES = 6;

export class Camera {
  private readonly video = document.createElement("video");
  private quality = 0.6;
  private scale = 1;

  private constructor(readonly stream: MediaStream) {
    this.video.muted = true;
    this.video.playsInline = true;
    this.video.srcObject = stream;
  }

  static async open(): Promise<Camera> {
    const wanted = { width: { ideal: PORTRAIT.width }, height: { ideal: PORTRAIT.height }, frameRate: { ideal: 10, max: 15 }, facingMode: "user" };
    return this.of(navigator.mediaDevices.getUserMedia({ video: wanted, audio: false }));
  }

  static async openScreen(): Promise<Camera> {
    return this.of(navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 2 }, audio: false }));
  }

  private static async of(asked: Promise<MediaStream>): Promise<Camera> {
    const camera = new Camera(await asked);
    await camera.video.play().catch(() => undefined);
    return camera;
  }

  get track(): MediaStreamTrack | undefined {
    return this.stream.getVideoTracks()[0];
  }

  get live(): boolean {
    return this.track?.readyState === "live" && !this.track.muted && this.video.videoWidth > 0;
  }

  close(): void {
    for (const track of this.stream.getTracks()) track.stop();
    this.video.srcObject = null;
  }

  /** A picture of at most `most_bytes`: first the quality gives way, then the size. */
  async take(most_bytes: number, kind: "snapshot" | "portrait" = "snapshot"): Promise<Shot | null> {
    if (!this.live) return null;
    const frame = kind === "portrait" ? PORTRAIT : SNAPSHOT;
    let quality = kind === "portrait" ? 0.8 : this.quality;
    let scale = kind === "portrait" ? 1 : this.scale;
    for (let i = 0; i < TRIES; i++) {
      const blob = await encoded(this.draw(frame.width * scale, frame.height * scale), quality);
      if (blob && blob.size <= most_bytes) {
        // The next one begins where this one ended, a little better if there is room.
        if (kind === "snapshot") {
          this.quality = blob.size < 0.7 * most_bytes ? Math.min(0.75, quality + 0.05) : quality;
          this.scale = blob.size < most_bytes / 2 ? Math.min(1, scale / 0.8) : scale;
        }
        return { body: await blob.arrayBuffer(), type: blob.type };
      }
      if (quality > LOWEST_QUALITY) quality = Math.max(LOWEST_QUALITY, quality - 0.15);
      else scale *= 0.8;
    }
    return null;
  }

  /** What can be told of a frame without keeping it. */
  look(): Glance | null {
    return this.live ? glance(pixels(this.draw(32, 24))) : null;
  }

  /** A frame for the face check, its width 160 of a square; null while there is none. */
  frame(side: number): ImageData | null {
    if (!this.live) return null;
    return pixels(this.draw(side, (side * 3) / 4));
  }

  /** The middle of the frame in 4 : 3, whichever way the phone is held. */
  private draw(width: number, height: number): HTMLCanvasElement {
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width);
    canvas.height = Math.round(height);
    const { videoWidth, videoHeight } = this.video;
    const w = Math.min(videoWidth, (videoHeight * 4) / 3);
    const h = Math.min(videoHeight, (videoWidth * 3) / 4);
    canvas.getContext("2d")?.drawImage(this.video, (videoWidth - w) / 2, (videoHeight - h) / 2, w, h, 0, 0, canvas.width, canvas.height);
    return canvas;
  }
}

/** WebP, or JPEG where the browser gives something else instead (Safari). */
async function encoded(canvas: HTMLCanvasElement, quality: number): Promise<Blob | null> {
  const as = (type: string) => new Promise<Blob | null>((done) => canvas.toBlob(done, type, quality));
  const webp = await as("image/webp");
  return webp?.type === "image/webp" ? webp : as("image/jpeg");
}

function pixels(canvas: HTMLCanvasElement): ImageData | null {
  return canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? null;
}

/** Why there is no camera, for a sentence. */
export function troubleOf(error: unknown): Trouble {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  return name === "NotReadableError" || name === "AbortError" ? "busy" : "none";
}

export function cameraThere(): boolean {
  return typeof navigator.mediaDevices?.getUserMedia === "function";
}

/** Programs that show a film as a camera name themselves so: an event, nothing more (SAFETY R5). */
export function looksVirtual(label: string): boolean {
  return /\b(?:virtual|obs|manycam|xsplit|snap camera|droidcam|iriun|e2esoft|vcam)\b/i.test(label);
}
