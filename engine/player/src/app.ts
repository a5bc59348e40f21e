/** The whole page: who sits here, which screen he sees, and what goes on behind it. Views read it and call it; it knows no view. */

import { api, NoLine, Refused } from "./api";
import { Attempt } from "./attempt";
import { Clock } from "./clock";
import { codeInHash } from "./code";
import { makeWay, sendDebts } from "./debts";
import { agent } from "./device";
import { recordOf, troubleOf, type SignInTrouble } from "./entry";
import { learnAll, speak } from "./i18n";
import { Log } from "./log";
import { Opening } from "./opening";
import type { Control, Final, Language } from "./protocol";
import { ownerOf, sealAttempt, tokenOf, unseal, type Owner } from "./seal";
import {
  changeHead, erase, keepReceiptOnly, phone, read, readAll, readSettings, write, writeSettings,
  type AttemptRecord, type LogHead, type ReceiptRecord, type Settings,
} from "./store";
import { hold, TAB, type Hold } from "./tab";
import { inVain, Tries } from "./tries";
import { holdWake } from "./wake";
import { closeUppermost, holdBack, listenForBack } from "./way_back";
import type { Trial } from "./watch/trial";
import type { Watching } from "./watch/watching";

export type Screen = "loading" | "language" | "sign-in" | "check" | "waiting" | "practice" | "test" | "review" | "receipt" | "elsewhere" | "wrong" | "camera";

/** How long each further look waits for an attempt that comes back to this phone: a busy system tells of it later. */
const GIVEN_BACK_MS = [1_000, 1_000, 2_000, 3_000, 4_000];

/** This log of the phone does not write the attempt. */
class Superseded extends Error {}

export class App {
  screen: Screen = "loading";
  settings: Settings = { language: "kk", language_chosen: false, text_size: 100, current: null, hide_clock: false };
  clock = new Clock();
  attempt: Attempt | null = null;
  opening: Opening | null = null;
  receipt: ReceiptRecord | null = null;
  receipts: ReceiptRecord[] = [];
  trouble: SignInTrouble | null = null;
  signingIn = false;
  /** From the address of the slip's QR: the sign-in page begins with it. */
  code = "";
  /** What the staff sent and the pupil has not yet acknowledged. */
  news: Control[] = [];
  /** The page of the trial of a camera, once it is there. */
  Trial: typeof Trial | null = null;
  /** The camera, where the sitting has one and a consent holds; its code comes only then. */
  watching: Watching | null = null;
  private hold: Hold | null = null;
  private listeners = new Set<() => void>();

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  changed = (): void => {
    for (const listener of this.listeners) listener();
  };

  show(screen: Screen): void {
    this.screen = screen;
    if (screen === "test" || screen === "review") {
      holdWake();
      holdBack();
      // Without a worker that keeps it, the rescue file's part must be in memory before the line goes.
      if (!isSecureContext) void import("./rescue").catch(() => undefined);
    }
    this.changed();
  }

  /** The phone's «Back»: what is open closes, the review leads to the test, a question to the one before it. */
  private back(): boolean {
    if (this.screen !== "test" && this.screen !== "review") return false;
    if (closeUppermost()) return true;
    if (this.screen === "review" && !this.attempt?.handedIn) this.show("test");
    else this.attempt?.goBack();
    return true;
  }

  async boot(): Promise<void> {
    this.takeCode();
    this.settings = await readSettings().catch(() => this.settings);
    await speak(this.settings.language);
    // A tab that has the test already is waited for: meanwhile the page says that it opens.
    this.changed();
    this.applyTextSize();
    document.addEventListener("visibilitychange", () => this.attempt?.hidden(document.visibilityState === "hidden"));
    addEventListener("pagehide", () => this.attempt?.keepDraft());
    addEventListener("hashchange", () => this.takeCode());
    listenForBack(() => this.back());
    addEventListener("online", () => this.attempt?.sender.lineMayBeBack());
    addEventListener("offline", () => this.attempt?.sender.lineGone());
    setInterval(() => this.tick(), 1000);
    setInterval(() => void sendDebts(), 60_000);
    this.receipts = await readAll<ReceiptRecord>("receipts").catch(() => []);
    const record = this.settings.current === null ? null : await read<AttemptRecord>("attempts", this.settings.current);
    if (record) await this.enter(record, "ask").then(() => this.attempt?.cameBack());
    else this.show(this.settings.language_chosen ? "sign-in" : "language");
    void sendDebts();
    void learnAll().catch(() => undefined);
  }

  async speak(language: Language): Promise<void> {
    await speak(language);
    this.settings = { ...this.settings, language, language_chosen: true };
    await this.keepSettings();
    if (this.screen === "language") this.show("sign-in");
    this.attempt?.speak(language);
    await this.attempt?.readTexts(language).catch(() => undefined);
    this.changed();
  }

  // ---- signing in

  /** At once out of the address, so that neither the history nor a neighbour keeps it; of no use to who is signed in. */
  private takeCode(): void {
    if (!location.hash) return;
    const code = codeInHash(location.hash);
    history.replaceState(history.state, "", location.pathname + location.search);
    if (!code || this.settings.current !== null || this.signingIn) return;
    this.code = code;
    this.changed();
  }

  async signIn(code: string, day: number, month: number): Promise<void> {
    if (this.signingIn) return;
    this.signingIn = true;
    this.trouble = null;
    this.changed();
    try {
      await this.signInAs(await ownerOf(code, day, month), { code, day, month });
    } catch (error) {
      this.trouble = troubleOf(error);
    } finally {
      if (!this.attempt) void makeWay(null);
      this.signingIn = false;
      this.changed();
    }
  }

  private async signInAs(owner: Owner, slip: { code: string; day: number; month: number }, again: LogHead | null = null): Promise<void> {
    const heads = await readAll<LogHead>("logs");
    const mine = heads.filter((head) => head.slip === owner.slip).sort((a, b) => b.made_ms - a.made_ms);
    const known = again ?? mine.find((head) => !head.superseded);
    await makeWay(known?.device ?? null);
    const earlier = mine.find((head) => head !== known);
    const shown = earlier ? await tokenOf(earlier, owner.key) : null;
    const head = known ?? (await Log.make(owner.slip, owner.key));
    const body = { ...slip, device: head.device, agent: agent(), phone: await phone() };
    let answer: Awaited<ReturnType<typeof api.signIn>>;
    const tries = new Tries(this.settings.tries?.slip === owner.slip ? this.settings.tries.since : {});
    const began = performance.now();
    try {
      answer = await api.signIn(body, shown ?? undefined);
    } catch (error) {
      if (inVain(error)) {
        tries.failed("sign-in", began);
        this.settings = { ...this.settings, tries: { slip: owner.slip, since: tries.kept } };
        await this.keepSettings();
      }
      // Without an answer it may have been counted: the next try is the same device, not one more.
      if (!known && !(error instanceof NoLine)) await erase("logs", head.device);
      if (!known && earlier && error instanceof Refused && error.problem.code === "device-held") {
        if (await this.goBack(owner, slip, mine)) return;
      }
      // Without a network the same device goes on from its own log: code and birth day open it.
      if (error instanceof NoLine && known && (await this.reopen(known, owner))) return;
      throw error;
    }
    const { reply, asked, came } = answer;
    this.clock.heard(reply, asked, came);
    if (reply.superseded) {
      if (again) throw new Superseded();
      await changeHead(head.device, (old) => { old.superseded = true; });
      return this.signInAs(owner, slip);
    }
    const sealed = known ? await unseal(known.device, owner.key) : null;
    await changeHead(head.device, (fresh) => Object.assign(fresh, { attempt: reply.attempt, token: reply.token, superseded: false, generation: fresh.generation || reply.generation }));
    const before = sealed ?? (await read<AttemptRecord>("attempts", reply.attempt));
    const record = recordOf(reply, head, before);
    await write("attempts", record);
    // Measured to this moment; the log that it goes into is opened only now.
    const for_ms = tries.settled("sign-in");
    this.settings = { ...this.settings, tries: { slip: owner.slip, since: {} } };
    await this.enter(record, "ask", reply.resume, for_ms);
    if (reply.language !== this.settings.language && !this.settings.language_chosen) await this.speak(reply.language);
  }

  /** New devices are held off, and the attempt is given back to one of this phone's logs: mostly within a second (SAFETY J4). */
  private async goBack(owner: Owner, slip: { code: string; day: number; month: number }, mine: LogHead[]): Promise<boolean> {
    for (const wait_ms of GIVEN_BACK_MS) {
      await new Promise((resolve) => setTimeout(resolve, wait_ms));
      for (const head of mine) {
        try {
          await this.signInAs(owner, slip, head);
          return true;
        } catch (error) {
          if (!(error instanceof Superseded)) throw error;
        }
      }
    }
    return false;
  }

  private async reopen(head: LogHead, owner: Owner): Promise<boolean> {
    const record = (await unseal(head.device, owner.key)) ?? (head.attempt === null ? null : await read<AttemptRecord>("attempts", head.attempt));
    if (!record) return false;
    await this.enter(record, "ask");
    return true;
  }

  /** Opens an attempt that is on this device; the first tab writes, another may take over. */
  async enter(record: AttemptRecord, how: "ask" | "take", resume = false, keptOut_ms: number | null = null): Promise<void> {
    this.settings = { ...this.settings, current: record.attempt };
    this.code = "";
    await this.keepSettings();
    await makeWay(record.device);
    this.hold?.release();
    this.hold = await hold(record.device, how, () => this.tabLost());
    if (!this.hold) {
      this.show("elsewhere");
      return;
    }
    const log = await Log.open(record.device, TAB);
    this.attempt?.end();
    const attempt = new Attempt(record, log, this.clock, {
      language: () => this.settings.language, changed: this.changed, tabLost: () => { if (this.attempt === attempt) this.tabLost(); }, goesOn: () => this.goesOn(),
      news: (control) => this.hear(control), final: (final) => this.final(final),
    });
    this.attempt = attempt;
    this.opening = null;
    attempt.begin();
    // Before anything else goes into the log: work at a moment says that the pupil was in by then.
    attempt.wayIn.tell("sign-in", keptOut_ms);
    void this.watch();
    if (attempt.record.signed_in.controls.version > attempt.record.controls_version) attempt.obey(attempt.record.signed_in.controls);
    if (resume) await attempt.resume();
    if (this.attempt !== attempt) return;
    if (record.step === "open" || record.started_ms !== null) await this.goOn();
    else if (record.step === "waiting") this.wait();
    else {
      this.prepare();
      this.show("check");
    }
  }

  async takeOver(): Promise<void> {
    const record = this.settings.current === null ? null : await read<AttemptRecord>("attempts", this.settings.current);
    if (record) await this.enter(record, "take");
    else this.show("sign-in");
  }

  // ---- waiting and opening

  private prepare(): void {
    const { attempt } = this;
    if (!attempt || this.opening) return;
    this.opening = new Opening(attempt, () => this.settings.language, () => {
      if (this.opening?.stage === "open" && this.screen !== "test") this.show("test");
      this.changed();
    });
    this.opening.begin();
  }

  wait(): void {
    if (!this.attempt) return;
    if (this.attempt.record.step === "check") this.attempt.record.step = "waiting";
    void this.attempt.persist();
    this.prepare();
    this.show("waiting");
  }

  private goesOn(): void {
    this.opening?.end();
    this.opening = null;
    this.wait();
  }

  /** The test was open before: back into the same question, with the network or without. */
  private async goOn(): Promise<void> {
    const { attempt } = this;
    if (!attempt) return;
    this.show("loading");
    try {
      await attempt.release();
      this.show("test");
      // Pictures and the other languages that are not here yet.
      void attempt.bundle.prefetch(this.settings.language, this.changed).catch(() => undefined);
    } catch {
      this.prepare();
      this.show("waiting");
      this.opening?.start();
    }
  }

  /** Whether there is a camera is told at the sign-in and once more with the key; without it nothing here is loaded. */
  private async watch(): Promise<void> {
    const { attempt } = this;
    const watch = attempt?.record.signed_in.watch;
    if (!attempt || this.watching?.watch === watch) return;
    // The key brings a new token: a camera that is open stays open, and what is on its way is not sent again.
    if (watch && this.watching?.renew(attempt, watch)) return;
    this.watching?.end();
    this.watching = null;
    if (!watch || attempt.record.camera === "withdrawn" || attempt.log.head.superseded) return;
    const { Watching } = await import("./watch/watching");
    const watching = await Watching.begin(watch, attempt, this.changed);
    if (this.attempt === attempt && !this.watching) this.watching = watching;
    else watching.end();
    if (this.screen === "test") this.watching?.start();
    this.changed();
  }

  /** The first question is on the screen: now the camera may begin, and not before. */
  readable(): void {
    this.attempt?.readable(agent());
    void this.watch().then(() => this.watching?.start());
  }

  /** Nothing of the camera outlives the attempt on this phone (SAFETY J7). */
  private async unwatch(): Promise<void> {
    const { watching } = this;
    this.watching = null;
    if (!watching) return;
    watching.end();
    await watching.erase();
  }

  /** A look at the camera days ahead, with no code and for no sitting. */
  async tryCamera(): Promise<void> {
    this.Trial = (await import("./watch/trial")).Trial;
    this.show("camera");
  }

  // ---- the end

  private async final(final: Final): Promise<void> {
    const { attempt } = this;
    if (!attempt || this.screen === "receipt") return;
    const { sitting, first_name } = attempt.record.signed_in;
    // What the staff said in the second of the hand-in is still to be read.
    const unread = this.news.filter((control) => control.kind === "message");
    const ended = attempt.endedByStaff ? { ended_by_staff: true, help: sitting.help } : {};
    this.receipt = { ...final, attempt: attempt.record.attempt, title: sitting.title, first_name, ...ended };
    this.screen = "receipt";
    attempt.end();
    await this.unwatch();
    await keepReceiptOnly(attempt.record.attempt, this.receipt);
    await this.close();
    this.news = unread;
    this.receipts = await readAll<ReceiptRecord>("receipts");
    this.changed();
  }

  /** «This is not me», or a sign-in anew: closed and sealed here; what is owed is sent in the background. */
  async leave(): Promise<void> {
    const { attempt } = this;
    if (!attempt) return;
    attempt.keepDraft();
    attempt.end();
    await this.unwatch();
    await sealAttempt(attempt.log.head, attempt.record);
    await this.close();
    void sendDebts();
    this.show("sign-in");
  }

  forgetReceipt(): void {
    this.receipt = null;
    this.news = [];
    this.show("sign-in");
  }

  acknowledge(version: number): void {
    this.news = this.news.filter((control) => control.version !== version);
    this.changed();
  }

  setTextSize(percent: number): void {
    this.settings = { ...this.settings, text_size: Math.min(200, Math.max(100, percent)) };
    this.applyTextSize();
    void this.keepSettings();
    this.changed();
  }

  toggleClock(): void {
    this.settings = { ...this.settings, hide_clock: !this.settings.hide_clock };
    void this.keepSettings();
    this.changed();
  }

  private applyTextSize(): void {
    const { dataset } = document.documentElement;
    dataset["size"] = String(this.settings.text_size);
    if (this.settings.text_size >= 150) dataset["large"] = "";
    else delete dataset["large"];
  }

  private tick(): void {
    this.attempt?.tick();
    this.opening?.tick();
    // Another device took over: this one's camera is nobody's any more.
    if (this.watching && this.attempt?.log.head.superseded) void this.unwatch().then(this.changed);
    this.watching?.tick();
  }

  private hear(control: Control): void {
    // What was not read yet and is no longer true is not to be read at all.
    if (control.kind === "pause" || control.kind === "resume") this.news = this.news.filter((one) => one.kind !== "resume");
    if (["message", "erratum", "extra", "resume", "reopen"].includes(control.kind)) this.news = [...this.news, control];
    if (control.kind === "reopen") this.show("test");
    if (control.kind === "credit") this.credited(control);
  }

  /** Time came back after an outage; of an entry that is kept open, who is inside already need not hear. */
  private credited(control: Control): void {
    const inside = this.attempt?.record.started_ms != null;
    const { credit_s = 0, entry_s = 0 } = control.body;
    if (inside ? credit_s > 0 : credit_s + entry_s > 0) this.news = [...this.news, control];
    this.opening?.again();
  }

  private tabLost(): void {
    if (this.screen === "receipt") return;
    this.watching?.end();
    this.watching = null;
    this.attempt?.end();
    this.attempt = null;
    this.opening?.end();
    this.opening = null;
    this.show("elsewhere");
  }

  private async close(): Promise<void> {
    this.opening?.end();
    this.hold?.release();
    void makeWay(null);
    Object.assign(this, { attempt: null, opening: null, hold: null, news: [] });
    this.settings = { ...this.settings, current: null };
    await this.keepSettings();
  }

  private async keepSettings(): Promise<void> {
    await writeSettings(this.settings).catch(() => undefined);
  }
}
