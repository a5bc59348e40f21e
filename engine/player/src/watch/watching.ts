/**
 * Proctoring as the child's phone does it: asks, checks the camera, takes a small picture now and then, and tells the child
 * what it does. It starts after the first question is readable, gives way to answers, and its absence costs nothing.
 */

import type { Attempt } from "../attempt";
import type { LiveAsk, Watch } from "../protocol";
import { CameraCard } from "./card";
import { Camera, cameraThere, looksVirtual, troubleOf, type Trouble } from "./camera";
import { Eyes, kindsOf } from "./eyes";
import type { Sight } from "./eyes_worker";
import { isDark } from "./glance";
import { PictureLine } from "./line";
import type { Live } from "./live";
import { listen, type Facts } from "./notes";
import { eraseWatch, Queue } from "./queue";
import { Spans } from "./spans";
import type { Shot } from "./within";

/** Not at once: the child reads the first question undisturbed. */
const FIRST_AFTER_MS = 3_000;
const LOOK_EVERY_MS = 5_000;
const REOPEN_EVERY_MS = 15_000;
/** With more time than this before the start the camera goes out after the check. */
const STAYS_ON_MS = 15 * 60_000;
/** Seconds that a save may be due or on the wire beside a live picture. */
const THIN_AFTER = 4;
const STAYS_ENDED_MS = 8_000;
/** Photo and preview are four times a snapshot, and never above what the ingest takes. */
const MOST_PORTRAIT = 65_536;

export class Watching {
  /** Its page part comes with it, so that who has no camera loads neither. */
  readonly Card = CameraCard;
  camera: Camera | null = null;
  screen: Camera | null = null;
  trouble: Trouble | null = null;
  opening = false;
  /** A photo that the child has not agreed to yet. */
  shot: Shot | null = null;
  dark = false;
  private readonly line: PictureLine;
  private readonly spans = new Spans();
  private readonly eyes = new Eyes();
  private running = false;
  private settled = false;
  private over = false;
  private offSince: number | null = null;
  private lineLost: number | null = null;
  private lastMark = "";
  private lastSnapshot = -Infinity;
  private lastLook = -Infinity;
  private lastOpening = -Infinity;
  private seeing = false;
  private stopListening: (() => void) | null = null;
  private live: Live | null = null;
  private pressed = 0;
  private liveEnded = -Infinity;

  private constructor(public watch: Watch, private readonly attempt: Attempt, private readonly queue: Queue, private readonly changed: () => void) {
    this.line = new PictureLine(watch, queue, attempt.sender, (refused) => this.heard(refused));
    this.line.asked = (ask) => void this.showLive(ask);
    attempt.sender.begins = () => this.line.giveWay();
    this.line.wake(2_000);
  }

  static async begin(watch: Watch, attempt: Attempt, changed: () => void): Promise<Watching> {
    return new Watching(watch, attempt, await Queue.open(attempt.record.attempt), changed);
  }

  /** Goes on with a newer word from the engine; false where there is nothing that could go on. */
  renew(attempt: Attempt, watch: Watch): boolean {
    if (this.over || attempt !== this.attempt) return false;
    this.watch = watch;
    this.line.renew(watch);
    this.changed();
    return true;
  }

  // ---- what the page shows

  /** Whether the camera's own card waits for a tap: the page's one main button is there then. */
  get asks(): boolean {
    if (this.choice !== "yes") return this.choice === null;
    return !this.opening && (this.camera === null || this.shot !== null || (this.watch.identity && !this.photographed));
  }

  get choice(): "yes" | "no" | "withdrawn" | null {
    return this.attempt.record.camera ?? null;
  }

  /** The test is on. */
  get taking(): boolean {
    return this.running;
  }

  get photographed(): boolean {
    return this.attempt.record.photographed ?? false;
  }

  get watched(): boolean {
    return this.running && this.on && this.line.watched;
  }

  /** A person looks at the camera's picture itself, or will in a moment. */
  get lookedAt(): boolean {
    return this.live !== null && !this.live.over;
  }

  get on(): boolean {
    return this.camera?.live ?? false;
  }

  get waiting(): number {
    return this.queue.pictures.length;
  }

  get offersScreen(): boolean {
    return this.watch.screen && typeof navigator.mediaDevices?.getDisplayMedia === "function";
  }

  // ---- what the child does

  async agree(): Promise<void> {
    this.choose("yes");
    this.lookAfter();
    await this.open();
  }

  decline(): void {
    if (this.stopListening) this.note("camera-none");
    this.rest();
    this.choose("no");
  }

  /** By his own touch, or when the test is on and the camera was agreed to. */
  async open(): Promise<void> {
    if (this.opening || this.on || this.over) return;
    this.opening = true;
    this.trouble = null;
    this.lastOpening = performance.now();
    this.changed();
    try {
      if (!cameraThere()) throw new Error("no camera here");
      this.camera?.close();
      this.camera = await Camera.open();
      const { track } = this.camera;
      track?.addEventListener("ended", this.changed);
      track?.addEventListener("mute", this.changed);
      track?.addEventListener("unmute", this.changed);
      if (this.running) await this.camera.calm();
      if (looksVirtual(track?.label ?? "")) this.note("virtual-camera");
    } catch (error) {
      this.trouble = troubleOf(error);
      this.camera = null;
    }
    this.opening = false;
    // Ended or withdrawn while the browser asked.
    if (this.over || this.choice !== "yes") this.close();
    this.changed();
  }

  async shareScreen(): Promise<void> {
    this.screen = await Camera.openScreen().catch(() => null);
    this.screen?.track?.addEventListener("ended", () => { this.screen = null; this.changed(); });
    this.changed();
  }

  async shoot(): Promise<void> {
    this.shot = (await this.camera?.portrait(Math.min(MOST_PORTRAIT, 4 * this.watch.most_bytes))) ?? null;
    this.changed();
  }

  again(): void {
    this.shot = null;
    this.changed();
  }

  async keepShot(): Promise<void> {
    if (!this.shot) return;
    const { shot } = this;
    this.shot = null;
    this.attempt.record.photographed = true;
    void this.attempt.persist();
    await this.queue.addPicture({ ...shot, at: this.now(), kind: "identity" });
    this.line.wake();
    this.changed();
  }

  private choose(choice: "yes" | "no" | "withdrawn"): void {
    this.attempt.record.camera = choice;
    void this.attempt.persist();
    this.changed();
  }

  // ---- during the test

  /** The first question can be read. */
  start(): void {
    if (this.running || this.over) return;
    this.running = true;
    setTimeout(() => {
      this.settled = true;
      this.lookAfter();
    }, FIRST_AFTER_MS);
  }

  /** Once the child has read the question and said yes, in whichever order; who said no is not looked after at all. */
  private lookAfter(): void {
    if (!this.running || !this.settled || this.over || this.choice !== "yes" || this.stopListening) return;
    this.stopListening = listen((kind, facts) => this.note(kind, facts), (visible) => { if (!visible) this.spans.forget(); });
    this.lastSnapshot = this.lastLook = -Infinity;
    this.eyes.open();
    void this.camera?.calm();
    void this.open();
  }

  /** About once a second. */
  tick(): void {
    if (this.over) return;
    if (this.running && this.attempt.handedIn) return this.finish();
    if (!this.running) return this.restBeforeStart();
    if (!this.stopListening) return;
    this.watchTheLine();
    const visible = document.visibilityState === "visible";
    this.watchTheCamera(visible);
    this.watchTheLive();
    if (!visible || !this.on) return this.spans.forget();
    void this.see();
  }

  /** A picture when one is due, a look when one is; both of one frame when they meet. */
  private async see(): Promise<void> {
    const { camera } = this;
    const now = performance.now();
    const taking = now - this.lastSnapshot >= this.line.every_s * 1000;
    const looking = now - this.lastLook >= LOOK_EVERY_MS;
    if (this.seeing || !camera || !(taking || looking)) return;
    this.seeing = true;
    if (taking) this.lastSnapshot = now;
    if (looking) this.lastLook = now;
    const at = this.now();
    const sight = await this.eyes.see(camera, taking ? this.line.fits : null, looking);
    if (sight && !this.over) {
      if (taking) await this.keep(sight, at);
      if (looking) this.judge(sight, at);
    }
    this.seeing = false;
  }

  private async keep({ shot, glance }: Sight, at: number): Promise<void> {
    if (shot) await this.queue.addPicture({ ...shot, at, kind: "snapshot" });
    const screen = this.screen ? await this.eyes.see(this.screen, this.line.fits, false) : null;
    if (screen?.shot) await this.queue.addPicture({ ...screen.shot, at: this.now(), kind: "screen" });
    this.line.wake();
    const mark = glance?.mark ?? "";
    if (mark !== "" && mark === this.lastMark) this.note("picture-repeated");
    this.lastMark = mark;
  }

  private judge({ glance, faces }: Sight, at: number): void {
    const dark = glance !== null && isDark(glance);
    if (dark !== this.dark) {
      this.dark = dark;
      this.changed();
    }
    // The page was hidden or the camera put out meanwhile.
    if (document.visibilityState !== "visible" || !this.on) return this.spans.forget();
    // In the dark nobody can be found: that is the light's doing.
    const kinds = dark ? ["light-poor"] : faces ? kindsOf(faces) : [];
    for (const { kind, at: since, ms } of this.spans.see(kinds, at)) this.note(kind, { ms }, since);
  }

  /** A phone puts the camera out when the page is hidden: that is not the child's doing. */
  private watchTheCamera(visible: boolean): void {
    const now = performance.now();
    if (!this.on && visible && this.offSince === null && now - this.lastOpening > LOOK_EVERY_MS) {
      this.offSince = now;
      // Not allowed, or there is none: that is no putting out, and costs nothing (SAFETY R1).
      this.note(this.trouble === "denied" || this.trouble === "none" ? "camera-none" : "camera-off");
    } else if (this.on && this.offSince !== null) {
      this.note("camera-on", { ms: Math.round(now - this.offSince) });
      this.offSince = null;
    }
    if (!this.on && visible && this.trouble !== "denied" && now - this.lastOpening > REOPEN_EVERY_MS) void this.open();
  }

  /** Told so that a gap in the pictures explains itself; no suspicion comes of it. */
  private watchTheLine(): void {
    const down = this.attempt.sender.line === "down";
    if (down && this.lineLost === null) {
      this.lineLost = performance.now();
      this.note("line-lost");
    } else if (!down && this.lineLost !== null) {
      this.note("line-back", { ms: Math.round(performance.now() - this.lineLost) });
      this.lineLost = null;
      this.line.wake();
    }
  }

  /** Only of a camera that the child has open now; who said no is never asked. */
  private async showLive(ask: LiveAsk): Promise<void> {
    if (this.lookedAt || !this.stopListening || this.over || !this.camera || !this.on || this.choice !== "yes") return;
    // What has just ended is told of once more until the ingest has heard.
    if (this.thin || performance.now() - this.liveEnded < STAYS_ENDED_MS) return;
    const { camera } = this;
    const { Live } = await import("./live");
    if (this.lookedAt || this.over || this.camera !== camera) return;
    this.pressed = 0;
    void camera.lively();
    this.live = new Live(ask, camera, () => {
      if (!this.lookedAt) {
        this.liveEnded = performance.now();
        void camera.calm();
      }
      this.changed();
    });
    this.live.begin();
  }

  private get thin(): boolean {
    return ["down", "busy"].includes(this.attempt.sender.line);
  }

  /** Answers go first: a save that waits, a line that is away or a camera that is out ends it. */
  private watchTheLive(): void {
    if (!this.lookedAt) return;
    this.pressed = this.attempt.sender.pressing ? this.pressed + 1 : 0;
    if (this.thin || this.pressed >= THIN_AFTER) this.live?.end("thin-line");
    // A stopped test shows another page, without the bar.
    else if (!this.on || this.attempt.stopped) this.live?.end("phone");
  }

  private restBeforeStart(): void {
    const before_ms = this.attempt.record.signed_in.sitting.starts_ms - this.attempt.clock.now();
    if (this.camera && before_ms > STAYS_ON_MS && this.photographed && performance.now() - this.lastOpening > 60_000) {
      this.close();
      this.changed();
    }
  }

  private note(kind: string, facts: Facts = {}, at = this.now()): void {
    void this.queue.addEvent(kind, at, facts).then(() => this.line.wake(1_000));
  }

  private heard(refused: string | null): void {
    if (refused === "camera-consent-needed") {
      // Withdrawn: at once, and nothing of it stays here.
      this.end();
      this.choose("withdrawn");
      void this.erase();
    }
    this.changed();
  }

  private now(): number {
    return Math.round(this.attempt.clock.now());
  }

  // ---- the end

  /** Handed in: the camera is off; what waits goes until the receipt comes. */
  private finish(): void {
    this.running = false;
    this.over = true;
    this.rest();
    this.line.wake();
    this.changed();
  }

  /** Nothing more is taken or sent. */
  end(): void {
    this.over = true;
    this.running = false;
    this.rest();
    this.line.stop();
    this.attempt.sender.begins = null;
  }

  async erase(): Promise<void> {
    await eraseWatch(this.attempt.record.attempt);
  }

  private rest(): void {
    this.live?.end("phone");
    this.stopListening?.();
    this.stopListening = null;
    this.eyes.close();
    this.close();
  }

  private close(): void {
    this.camera?.close();
    this.screen?.close();
    this.camera = this.screen = null;
    this.shot = null;
  }
}
