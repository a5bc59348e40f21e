/** Brings pictures and events to the ingest, one request at a time and never while an answer goes or is due. */

import { jitter } from "../api";
import type { LiveAsk, Problem, Watch } from "../protocol";
import type { Sender } from "../sender";
import type { Picture, Queue } from "./queue";

interface PictureReply { received: number; stored: number[]; every_s?: number; most_bytes?: number; watched?: boolean; live?: LiveAsk }
interface EventReply { received: number[]; watched?: boolean; live?: LiveAsk }

/** Received is not stored: what is not stored by then is sent once more, with the same number and time. */
const AGAIN_MS = 120_000;
const GIVE_WAY_MS = 400;
const MOST_EVENTS = 50;
const TIMEOUT_MS = 60_000;
const RETRY_MS = [3_000, 6_000, 12_000, 20_000, 30_000];
/** A picture that takes longer than this is too large for the line. */
const SLOW_MS = 6_000;
const SMALLEST = 4_096;
/** Nothing more is taken of this pupil with this token. */
const ENDS: ReadonlySet<string> = new Set(["camera-consent-needed", "token-rejected", "token-expired"]);
/** This picture or report would be refused again. */
const USELESS: ReadonlySet<string> = new Set(["body-invalid", "body-too-large", "kind-not-wanted", "not-a-picture", "query-invalid"]);

export class PictureLine {
  every_s: number;
  /** What the server allows, and what this line bears. */
  most_bytes: number;
  fits: number;
  /** A person looks at this moment: the child is told. */
  watched = false;
  /** A proctor asks to look live. */
  asked: ((ask: LiveAsk) => void) | null = null;
  private readonly sent = new Map<number, number>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private going: AbortController | null = null;
  private failures = 0;
  private stopped = false;

  constructor(private watch: Watch, private readonly queue: Queue, private readonly answers: Sender, private readonly told: (refused: string | null) => void) {
    this.every_s = watch.every_s;
    this.most_bytes = this.fits = watch.most_bytes;
  }

  /** A new token, and perhaps other bounds: a line that the old one had ended begins again. */
  renew(watch: Watch): void {
    this.watch = watch;
    this.every_s = watch.every_s;
    this.most_bytes = watch.most_bytes;
    this.fits = Math.min(this.fits, watch.most_bytes);
    this.stopped = false;
    this.wake();
  }

  /** Something waits. */
  wake(wait_ms = 0): void {
    if (this.stopped || this.going) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.turn(), wait_ms);
  }

  /** A save begins: the picture on the wire makes room, and goes again later. */
  giveWay(): void {
    this.going?.abort();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.going?.abort();
  }

  private async turn(): Promise<void> {
    if (this.stopped || this.going) return;
    if (this.answers.pressing) return this.wake(GIVE_WAY_MS);
    const next = this.next();
    if (!next && this.queue.events.length === 0) return this.wake(AGAIN_MS / 8);
    const control = (this.going = new AbortController());
    let wait_ms: number;
    try {
      if (this.queue.events.length > 0) await this.sendEvents(control);
      else if (next) await this.sendPicture(next, control);
      this.failures = 0;
      wait_ms = 100;
    } catch (error) {
      wait_ms = await this.after(error, next, control.signal.aborted && !this.stopped);
    }
    this.going = null;
    this.wake(wait_ms);
  }

  private next(): Picture | undefined {
    const now = performance.now();
    return this.queue.pictures.find(({ n }) => now - (this.sent.get(n) ?? -Infinity) >= AGAIN_MS);
  }

  private async sendPicture(picture: Picture, control: AbortController): Promise<void> {
    const { n, at, kind, type, body } = picture;
    const began = performance.now();
    const reply = await this.post<PictureReply>(`/v1/pictures?n=${n}&at=${at}&kind=${kind}`, type, body, control);
    this.sent.set(n, performance.now());
    const took = performance.now() - began;
    this.fits = took > SLOW_MS ? Math.max(SMALLEST, this.fits / 1.5) : Math.min(this.most_bytes, this.fits * 1.1);
    if (reply.every_s) this.every_s = reply.every_s;
    if (reply.most_bytes) this.most_bytes = reply.most_bytes;
    this.watched = reply.watched ?? false;
    reply.stored.forEach((one) => this.sent.delete(one));
    await this.queue.dropPictures(reply.stored);
    this.told(null);
    if (reply.live) this.asked?.(reply.live);
  }

  private async sendEvents(control: AbortController): Promise<void> {
    const events = this.queue.events.slice(0, MOST_EVENTS).map(({ attempt: _attempt, ...event }) => event);
    const reply = await this.post<EventReply>("/v1/watch", "application/json", JSON.stringify({ events }), control);
    await this.queue.dropEvents(reply.received);
    this.watched = reply.watched ?? this.watched;
    if (reply.live) this.asked?.(reply.live);
  }

  private async post<T>(path: string, type: string, body: BodyInit, control: AbortController): Promise<T> {
    const timer = setTimeout(() => control.abort(), TIMEOUT_MS);
    try {
      const response = await fetch(this.watch.url + path, {
        method: "POST", body, signal: control.signal, cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer",
        headers: { "Authorization": `Bearer ${this.watch.token}`, "Content-Type": type },
      });
      if (response.ok) return (await response.json()) as T;
      const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
      throw new Refusal(response.status, problem.code ?? "", 1000 * Number(response.headers.get("Retry-After") ?? 0));
    } finally {
      clearTimeout(timer);
    }
  }

  /** How long to wait. A lost line is nobody's fault; what the ingest cannot use is dropped, or it would be sent for ever. */
  private async after(error: unknown, picture: Picture | undefined, gaveWay: boolean): Promise<number> {
    if (error instanceof Refusal && ENDS.has(error.code)) {
      this.stop();
      this.told(error.code);
      return 0;
    }
    if (error instanceof Refusal && USELESS.has(error.code)) {
      if (this.queue.events.length > 0) await this.queue.dropEvents(this.queue.events.slice(0, MOST_EVENTS).map(({ n }) => n));
      else if (picture) await this.queue.dropPictures([picture.n]);
      return 1_000;
    }
    if (gaveWay) return GIVE_WAY_MS;
    const wait_ms = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)] ?? 30_000;
    this.failures += 1;
    return Math.max(error instanceof Refusal ? error.retry_after_ms : 0, wait_ms) + jitter(2_000);
  }
}

class Refusal extends Error {
  constructor(readonly status: number, readonly code: string, readonly retry_after_ms: number) {
    super(`${status} ${code}`);
  }
}
