/** The camera: opened by the child's own touch, small pictures out of it, closed again for good. */

import type { Sight } from "./eyes_worker";
import { glance, type Glance } from "./glance";
import { FIRST_FIT, small, SNAPSHOT, within, type Fit, type Shot } from "./within";

export type Trouble = "denied" | "none" | "busy";

const PORTRAIT = { width: 640, height: 480 };

export class Camera {
  private readonly video = document.createElement("video");
  private fit = FIRST_FIT;

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

  /** During the test small and slow is enough; a phone stays cooler. */
  async calm(): Promise<void> {
    await this.track?.applyConstraints({ width: { ideal: SNAPSHOT.width }, height: { ideal: SNAPSHOT.height }, frameRate: { ideal: 5 } }).catch(() => undefined);
  }

  /** While somebody looks: as small, and smooth enough to see what happens. */
  async lively(): Promise<void> {
    await this.track?.applyConstraints({ width: { ideal: SNAPSHOT.width }, height: { ideal: SNAPSHOT.height }, frameRate: { ideal: 10 } }).catch(() => undefined);
  }

  /** The photo of the face, before the test: larger, and made here. */
  async portrait(most_bytes: number): Promise<Shot | null> {
    return this.live ? (await this.made(most_bytes, PORTRAIT, { quality: 0.8, scale: 1 }))?.shot ?? null : null;
  }

  /** A frame for somebody else's thread. */
  async grab(): Promise<ImageBitmap | null> {
    if (!this.live) return null;
    const { x, y, w, h } = this.middle();
    return createImageBitmap(this.video, x, y, w, h, { resizeWidth: SNAPSHOT.width, resizeHeight: SNAPSHOT.height, resizeQuality: "low" }).catch(() => null);
  }

  /** The same as a worker would, without looking for faces. */
  async see(most_bytes: number | null): Promise<Sight | null> {
    if (!this.live) return null;
    const made = most_bytes === null ? null : await this.made(most_bytes, SNAPSHOT, this.fit);
    this.fit = made?.fit ?? this.fit;
    return { shot: made?.shot ?? null, glance: this.look(), faces: null };
  }

  /** What can be told of a frame without keeping it. */
  look(): Glance | null {
    const canvas = this.live ? this.draw(32, 24) : null;
    return glance(canvas?.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? null);
  }

  private made(most_bytes: number, size: { width: number; height: number }, fit: Fit): ReturnType<typeof within> {
    return within(most_bytes, fit, (scale, quality) => encoded(this.draw(size.width * scale, size.height * scale), quality));
  }

  private draw(width: number, height: number): HTMLCanvasElement {
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width);
    canvas.height = Math.round(height);
    const { x, y, w, h } = this.middle();
    canvas.getContext("2d")?.drawImage(this.video, x, y, w, h, 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  /** The middle of the frame in 4 : 3, whichever way the phone is held. */
  private middle(): { x: number; y: number; w: number; h: number } {
    const { videoWidth, videoHeight } = this.video;
    const w = Math.min(videoWidth, (videoHeight * 4) / 3);
    const h = Math.min(videoHeight, (videoWidth * 3) / 4);
    return { x: (videoWidth - w) / 2, y: (videoHeight - h) / 2, w, h };
  }
}

function encoded(canvas: HTMLCanvasElement, quality: number): Promise<Blob | null> {
  return small((type) => new Promise((done) => canvas.toBlob(done, type, quality)));
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
