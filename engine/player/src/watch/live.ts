/**
 * One stretch of being looked at live: the child reads it before anything leaves, the camera that is open already is used,
 * there is no sound, and it gives way as soon as the line is thin. Nothing of it is kept anywhere.
 */

import type { LiveAsk } from "../protocol";
import type { Camera } from "./camera";

/** The bar stands this long before the first picture leaves. */
const READ_FIRST_MS = 2_000;
const ICE_MS = 2_500;
const STATE_EVERY_MS = 3_000;
/** Without a connection by then there is none. */
const CONNECT_MS = 20_000;
const FPS = 10;
const WIDTH = 320;
/** So much lost, or so slow, twice running: the line is for the answers. */
const LOST = 0.15;
const SLOW_S = 1.2;

export type LiveEnd = "phone" | "thin-line";

interface Measure { ice_servers: RTCIceServer[]; most_s: number; kbit: number }
interface Told { state: "unknown" | "waiting" | "live" | "ended" }

export class Live {
  private pc: RTCPeerConnection | null = null;
  private track: MediaStreamTrack | null = null;
  private timers: ReturnType<typeof setTimeout>[] = [];
  private poll: ReturnType<typeof setInterval> | undefined;
  private bad = 0;
  over = false;

  constructor(private readonly ask: LiveAsk, private readonly camera: Camera, private readonly changed: () => void) {}

  /** Told first, then shown. Whatever goes wrong ends it and costs the test nothing. */
  begin(): void {
    this.changed();
    this.timers.push(setTimeout(() => void this.send().catch(() => this.end("phone")), READ_FIRST_MS));
  }

  end(why: LiveEnd): void {
    if (this.over) return;
    void this.post("end", { why }).catch(() => undefined);
    this.close();
  }

  private async send(): Promise<void> {
    const measure = await this.post<Measure>("ice", {});
    if (this.over) return;
    this.track = this.camera.track?.clone() ?? null;
    if (!this.track) throw new Error("live: no camera");
    const { width = WIDTH } = this.track.getSettings();
    const pc = (this.pc = new RTCPeerConnection({ iceServers: measure.ice_servers }));
    const encoding = { maxBitrate: 1000 * measure.kbit, maxFramerate: FPS, scaleResolutionDownBy: Math.max(1, width / WIDTH) };
    pc.addTransceiver(this.track, { direction: "sendonly", sendEncodings: [encoding] });
    pc.addEventListener("connectionstatechange", () => {
      if (["failed", "closed"].includes(pc.connectionState)) this.close();
    });
    await pc.setLocalDescription(await pc.createOffer());
    await gathered(pc);
    const { sdp } = await this.post<{ sdp: string }>("offer", { sdp: pc.localDescription?.sdp ?? "" });
    if (this.over) return;
    await pc.setRemoteDescription({ type: "answer", sdp });
    // The server's clock ends it; this one does where the server is not heard.
    this.timers.push(
      setTimeout(() => this.end("phone"), 1000 * measure.most_s + 5_000),
      setTimeout(() => { if (pc.connectionState !== "connected") this.end("phone"); }, CONNECT_MS),
    );
    this.poll = setInterval(() => void this.look(), STATE_EVERY_MS);
  }

  private async look(): Promise<void> {
    if (await this.isThin()) return this.end("thin-line");
    const told = await this.post<Told>("state", {}).catch(() => null);
    if (told?.state === "ended" || told?.state === "unknown") this.close();
  }

  private async isThin(): Promise<boolean> {
    let bad = false;
    for (const one of (await this.pc?.getStats())?.values() ?? []) {
      const { type, fractionLost = 0, roundTripTime = 0 } = one as { type: string; fractionLost?: number; roundTripTime?: number };
      if (type === "remote-inbound-rtp") bad ||= fractionLost > LOST || roundTripTime > SLOW_S;
    }
    this.bad = bad ? this.bad + 1 : 0;
    return this.bad >= 2;
  }

  private close(): void {
    if (this.over) return;
    this.over = true;
    this.timers.forEach(clearTimeout);
    clearInterval(this.poll);
    this.pc?.close();
    this.track?.stop();
    this.changed();
  }

  private async post<T>(word: string, body: unknown): Promise<T> {
    const { url, ticket } = this.ask;
    const response = await fetch(`${url}/v1/live/${word}`, {
      method: "POST", body: JSON.stringify(body), cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer",
      keepalive: word === "end", headers: { "Authorization": `Bearer ${ticket}`, "Content-Type": "application/json" },
    });
    if (!response.ok) throw new Error(`live: ${response.status}`);
    return (await response.json()) as T;
  }
}

/** Candidates go along with the offer; an address that takes longer is not waited for. */
async function gathered(pc: RTCPeerConnection): Promise<void> {
  if (pc.iceGatheringState === "complete") return;
  await new Promise<void>((done) => {
    setTimeout(done, ICE_MS);
    pc.addEventListener("icegatheringstatechange", () => { if (pc.iceGatheringState === "complete") done(); });
  });
}
