/**
 * One pupil's attempt on this device: what he does goes into the log, what the server says comes in,
 * and what the page shows follows from both. It goes on without a network at every step after the key was released.
 */

import { api, jitter, Refused } from "./api";
import { Bundle } from "./bundle";
import { Clock } from "./clock";
import { applyControls, endsAt, isStopped, otherForm, pausedSince, restarted } from "./controls";
import { finishIsOutdated, finishNote } from "./finish";
import { Log, TabLost } from "./log";
import { drawOrder } from "./order";
import type {
  Control, Final, Happening, Item, Language, LogEvent, ReportReason, SaveReply, SectionText, SignInReply, Value,
} from "./protocol";
import { startByCode, type Opened } from "./room";
import { Sender, type Host } from "./sender";
import { paperFrom, reduce, type Paper } from "./state";
import { write, type AttemptRecord } from "./store";
import { WayIn } from "./way_in";

/** How long a typed answer rests before it goes into the log. */
const TYPING_RESTS_MS = 700;
const RESUME_AGAIN_MS = 20_000;

export interface AttemptOwner {
  language(): Language;
  changed(): void;
  news(control: Control): void;
  final(final: Final): Promise<void>;
  tabLost(): void;
  /** The sitting goes on with another form: to the waiting room. */
  goesOn(): void;
}

export class Attempt implements Host {
  readonly sender: Sender;
  readonly wayIn: WayIn;
  bundle: Bundle;
  paper: Paper;
  /** In this attempt's order; empty until the form is open. */
  sections: SectionText[] = [];
  draft: { item: number; value: Value } | null = null;
  private draftTimer: ReturnType<typeof setTimeout> | undefined;
  private handing = false;
  /** Events on their way to the disk. */
  writing = 0;

  constructor(
    public record: AttemptRecord, readonly log: Log, readonly clock: Clock, private readonly owner: AttemptOwner,
  ) {
    this.bundle = new Bundle(record.signed_in.manifest);
    this.sender = new Sender(log, record.attempt, this);
    this.wayIn = new WayIn(record.tries, log.events[log.events.length - 1], {
      note: (value) => this.happen({ kind: "tried", value }), persist: () => void this.persist(), keptOut: () => this.sender.soon(3_000),
    });
    this.paper = this.events.reduce(reduce, paperFrom(record.merged));
    if (record.anchor && !clock.synced) clock.restore(record.anchor, this.lastMs(record.anchor.now));
  }

  begin(): void {
    this.sender.begin(this.record.signed_in.next_save_s, this.record.signed_in.room);
    if (this.record.merged?.complete === false) void this.resume();
  }

  end(): void {
    clearTimeout(this.draftTimer);
    this.sender.stop();
    this.bundle.forget();
  }

  // ---- what the page shows

  /** Of the questions as they are shown: a moment behind the page's own when it changes. */
  get textLanguage(): Language | null {
    return this.sections[0]?.language ?? null;
  }

  get items(): Item[] {
    return this.sections.flatMap((section) => section.items);
  }

  /** Those of the form that is sat now. */
  get events(): readonly LogEvent[] {
    return this.log.events.slice(this.record.stopped_at ?? 0);
  }

  /** Staff stopped the sitting: nothing is handed in, it goes on later. */
  get stopped(): boolean {
    return !this.handedIn && isStopped(this.record.controls);
  }

  get handedIn(): boolean {
    return this.paper.finish > this.record.taken_back;
  }

  get byItself(): boolean {
    return this.handedIn && this.record.automatic === this.paper.finish;
  }

  /** The hand-in came of a word of staff, not of the pupil and not of the time. */
  get endedByStaff(): boolean {
    const end = endsAt(this.record.controls);
    return this.byItself && end !== null && end <= (this.record.deadline_ms ?? Infinity);
  }

  get pausedSince(): number | null {
    return pausedSince(this.record.controls);
  }

  /** When the attempt ends by what is known now, null before its start. */
  get deadline(): number | null {
    const end = endsAt(this.record.controls);
    const { deadline_ms } = this.record;
    if (end === null || deadline_ms === null) return deadline_ms;
    return Math.min(end, deadline_ms);
  }

  left(): number | null {
    if (this.deadline === null) return null;
    return Math.max(0, this.deadline - (this.pausedSince ?? this.clock.now()));
  }

  answer(item: number): Value {
    return this.draft?.item === item ? this.draft.value : this.paper.answers.get(item) ?? null;
  }

  // ---- what the pupil does

  /** A choice: into the log at once. */
  choose(item: number, value: Value): void {
    this.draft = null;
    this.happen({ kind: "answer", item, value });
  }

  /** A keystroke: into the log when the fingers rest, or when the pupil goes on. */
  type(item: number, value: Value): void {
    if (this.draft && this.draft.item !== item) this.keepDraft();
    this.draft = { item, value };
    clearTimeout(this.draftTimer);
    this.draftTimer = setTimeout(() => this.keepDraft(), TYPING_RESTS_MS);
    this.owner.changed();
  }

  keepDraft(): void {
    clearTimeout(this.draftTimer);
    const draft = this.draft;
    if (!draft) return;
    this.draft = null;
    const before = this.paper.answers.get(draft.item) ?? null;
    if (JSON.stringify(before) !== JSON.stringify(draft.value)) {
      this.happen({ kind: "answer", item: draft.item, value: draft.value === "" ? null : draft.value });
    }
  }

  go(item: number): void {
    this.keepDraft();
    if (this.paper.place === item && this.paper.seen.has(item)) return;
    const section = this.sectionOf(item);
    const left = this.paper.place === null ? null : this.sectionOf(this.paper.place);
    if (section !== left) this.happen({ kind: "section", value: section ?? 1 });
    this.happen({ kind: "view", item });
    if (left !== null && section !== left) this.sender.soon(2_000);
  }

  /** One question back, where it may be left. */
  goBack(): void {
    const before = this.items[this.items.findIndex(({ id }) => id === this.paper.place) - 1];
    const held = this.handedIn || this.stopped || this.pausedSince !== null || this.log.head.superseded;
    if (before && !held) this.go(before.id);
  }

  mark(item: number): void {
    this.happen({ kind: this.paper.marked.has(item) ? "unmark" : "mark", item });
  }

  report(item: number, reason: ReportReason): void {
    this.happen({ kind: "report", item, value: reason });
  }

  speak(language: Language): void {
    if (this.paper.started && !this.handedIn) this.happen({ kind: "language", value: language });
  }

  /** The first question can be read. */
  readable(agent: string): void {
    if (this.paper.started) return;
    this.happen({ kind: "start", value: { agent, screen: `${innerWidth}x${innerHeight}` } });
    // Chosen before there was anything to write it into: staff is to write to the child in it.
    const language = this.owner.language();
    // Another device may have said another one before.
    if (language !== this.record.signed_in.language || this.record.merged !== null) this.happen({ kind: "language", value: language });
  }

  hidden(is: boolean): void {
    this.keepDraft();
    if (this.record.step === "open" && this.paper.started && !this.handedIn) this.happen({ kind: is ? "blur" : "focus" });
    if (is) this.sender.soon(0, true);
    else this.sender.lineMayBeBack();
  }

  /** Hands in; `automatic` when nobody pressed the button. */
  async finish(automatic: boolean): Promise<void> {
    if (this.handing || this.handedIn) return;
    await this.handIn(automatic);
  }

  /** A refusal that came after the hand-in changes what its hash must be: the same hand-in once more, for the last one counts. */
  private async handInAgain(): Promise<void> {
    if (this.handing || !this.handedIn || !(await finishIsOutdated(this.log.events, this.sender.ledger.state.refused))) return;
    if (!this.handing && this.handedIn) await this.handIn(this.byItself);
  }

  private async handIn(automatic: boolean): Promise<void> {
    this.handing = true;
    this.keepDraft();
    try {
      const event = await this.put(async (next, before) => {
        if (automatic) this.record.automatic = next;
        return { kind: "finish", value: { ...(await finishNote(before, this.sender.ledger.state.refused)) } };
      });
      if (event && automatic) await this.persist();
      this.sender.soon(automatic ? 10_000 : 0);
    } finally {
      this.handing = false;
    }
  }

  /** About once a second: hands in when time is over, goes on when it turns out that it is not. */
  tick(): void {
    if (this.clock.jumped()) void this.syncClock(2);
    if (this.record.step !== "open" || this.deadline === null || this.pausedSince !== null || this.stopped) return;
    const over = this.clock.now() >= this.deadline;
    if (over && !this.handedIn) void this.finish(true);
    // The clock was wrong, or more time came: the automatic hand-in does not stand.
    if (!over && this.byItself && this.deadline - this.clock.now() > 5_000) this.takeBack();
  }

  // ---- opening

  /** The attempt's first key is its start. Resolves when the first question can be shown. */
  async release(): Promise<void> {
    if (!this.record.keys || !this.record.seed) {
      const { reply, asked, came } = await this.wayIn.trying("key", api.key(this.log.head.token ?? ""));
      this.clock.heard(reply, asked, came);
      const { keys, seed, started_ms, deadline_ms } = reply;
      if (reply.token) this.log.head.token = reply.token;
      if (reply.watch !== undefined) this.record.signed_in.watch = reply.watch;
      // The room's code was quicker: its start stands.
      if (!this.opened) Object.assign(this.record, { keys, seed, started_ms, deadline_ms, step: "open" });
      void this.persist();
    }
    await this.readTexts(this.owner.language());
    this.sender.quicken();
  }

  get opened(): boolean { return this.record.keys !== null && this.record.seed !== null; }

  /** The room's code gave the keys: the attempt starts now, and its log says how. Resolves when the first question can be shown. */
  async openByCode(opened: Opened): Promise<void> {
    if (!this.opened) {
      this.happen({ kind: "opened", value: startByCode(this.record, this.clock, opened) });
      this.wayIn.insteadOf("key");
      await this.persist();
    }
    await this.readTexts(this.owner.language());
    this.sender.quicken();
  }

  async readTexts(language: Language): Promise<void> {
    const { keys, seed } = this.record;
    if (!keys || !seed) return;
    this.sections = drawOrder(await this.bundle.sections(language, keys), seed);
    if (this.paper.place === null || !this.items.some((item) => item.id === this.paper.place)) {
      const first = this.items[0];
      if (first) this.go(first.id);
    }
    this.owner.changed();
  }

  /** Answers given on another device come under those of this one; asked again while some are on their way. */
  async resume(): Promise<void> {
    try {
      const { reply, asked, came } = await this.wayIn.trying("resume", api.resume(this.log.head.token ?? "", this.log.head.device));
      this.clock.heard(reply, asked, came);
      if (reply.final) {
        await this.owner.final(reply.final);
        return;
      }
      if (reply.token) this.log.head.token = reply.token;
      const { complete, answers, marked, place, started_ms, deadline_ms } = reply;
      Object.assign(this.record, { merged: { complete, answers, marked, place }, started_ms, deadline_ms });
      this.paper = this.events.reduce(reduce, paperFrom(this.record.merged));
      await this.persist();
      if (!complete) setTimeout(() => void this.resume(), RESUME_AGAIN_MS + jitter(5_000));
    } catch (error) {
      const wait_ms = error instanceof Refused ? Math.max(error.retry_after_ms, 5_000) : 5_000;
      if (!(error instanceof Refused) || error.problem.status >= 429) setTimeout(() => void this.resume(), wait_ms + jitter(5_000));
    }
    this.owner.changed();
  }

  /** Opened anew in the middle of the test. */
  async cameBack(): Promise<void> {
    if (this.record.step !== "open" || this.handedIn) return;
    await this.syncClock(1);
    if (this.clock.synced) this.wayIn.cameBack(this.clock.now());
  }

  async syncClock(samples: number): Promise<void> {
    for (let i = 0; i < samples; i++) {
      try {
        const { reply, asked, came } = await api.clock();
        this.clock.heard(reply, asked, came);
      } catch {
        return;
      }
    }
    await this.persist();
    this.owner.changed();
  }

  async persist(): Promise<void> {
    this.record.anchor = this.clock.record();
    this.record.tries = this.wayIn.kept;
    await write("attempts", this.record).catch(() => undefined);
  }

  // ---- the sender's host

  controlsVersion(): number {
    return this.record.controls_version;
  }

  pace(): "exam" | "waiting" | "handed-in" {
    if (this.record.step !== "open") return this.wayIn.keptOut ? "exam" : "waiting";
    return this.handedIn ? "handed-in" : "exam";
  }

  heard(reply: SaveReply): void {
    if (reply.started_ms != null) this.record.started_ms = reply.started_ms;
    if (reply.deadline_ms != null) this.record.deadline_ms = reply.deadline_ms;
    if (reply.controls) this.obey(reply.controls);
    void this.persist();
    if (this.log.unsavedCount > 0) void this.log.retry().then(() => this.owner.changed(), () => this.owner.tabLost());
    if (reply.final && this.handedIn) void this.owner.final(reply.final);
    else void this.handInAgain();
    this.owner.changed();
  }

  changed(): void {
    this.owner.changed();
  }

  /** Applies what is newer and says so in the log. */
  obey(news: NonNullable<SaveReply["controls"]>): void {
    const { controls, fresh, version } = applyControls(this.record.controls, this.record.controls_version, news);
    this.record.controls = controls;
    this.record.controls_version = version;
    for (const control of fresh) {
      if (control.kind === "reopen" && this.handedIn) this.takeBack();
      if (control.kind === "restart" && !this.handedIn) this.goOnWith(restarted(this.record.signed_in, control.body));
      this.happen({ kind: "control", value: control.version });
      this.owner.news(control);
    }
  }

  /** Another form: its own bundle, key, start and answers; the log and its numbers go on. */
  private goOnWith(facts: SignInReply): void {
    if (facts.manifest === this.record.signed_in.manifest) return;
    this.keepDraft();
    this.bundle.forget();
    this.bundle = new Bundle(facts.manifest);
    this.sections = [];
    Object.assign(this.record, { signed_in: facts, ...otherForm(this.log.last) });
    this.paper = paperFrom(null);
    this.owner.goesOn();
  }

  private takeBack(): void {
    this.record.taken_back = this.paper.finish;
    void this.persist();
    this.owner.changed();
  }

  // ---- the log

  /** The page follows the finger at once; that it is *saved*, the save line says when the disk has it. */
  private happen(happening: Happening): void {
    this.writing += 1;
    this.paper = reduce(this.paper, { seq: 0, anchor: "", ms: 0, ...happening });
    void this.put(() => happening).finally(() => { this.writing -= 1; this.owner.changed(); });
    this.owner.changed();
  }

  private async put(make: (next: number, before: readonly LogEvent[]) => Happening | Promise<Happening>): Promise<LogEvent | null> {
    const stamp = this.clock.stamp();
    try {
      const event = await this.log.append(async (next, before) => ({ ...(await make(next, before)), ...stamp }));
      if (event.kind === "finish") this.paper = reduce(this.paper, event);
      if (this.log.unsavedCount > 0) this.sender.soon(500);
      this.owner.changed();
      return event;
    } catch (error) {
      if (!(error instanceof TabLost)) throw error;
      this.owner.tabLost();
      return null;
    }
  }

  private sectionOf(item: number): number | null {
    return this.sections.find((section) => section.items.some((one) => one.id === item))?.section ?? null;
  }

  private lastMs(anchor: string): number {
    return this.log.events.reduce((ms, event) => (event.anchor === anchor ? Math.max(ms, event.ms) : ms), 0);
  }
}
