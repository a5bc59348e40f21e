/** The test itself: what is left, what is saved, one question, and the way on in reach of the thumb. */

import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import type { App } from "../app";
import { answeringOf } from "../answering";
import type { Attempt } from "../attempt";
import { errata } from "../controls";
import { t, timeLeft } from "../i18n";
import type { Item } from "../protocol";
import { savedOf, type SaveLevel } from "../saved";
import { toggled } from "./answers";
import { CameraDialog, cameraLine, CameraSign, LiveBar } from "./camera";
import { GridDialog, MenuDialog, News, ReportDialog, SaveDialog } from "./dialogs";
import { Grid, Legend } from "./grid";
import { Icon, Page } from "./parts";
import { Question } from "./question";

const WIDE = "(min-width: 64rem)";

type Over = "grid" | "menu" | "save" | "report" | "camera" | null;

export function Test({ app, attempt }: { app: App; attempt: Attempt }) {
  const [over, setOver] = useState<Over>(null);
  const wide = useWide();
  const { items } = attempt;
  // Asked anew at each touch: fingers can be quicker than the page is drawn.
  const place = () => Math.max(0, items.findIndex((item) => item.id === attempt.paper.place));
  const at = place();
  const item = items[at];
  const turn = (by: number) => {
    const next = items[place() + by];
    if (next) attempt.go(next.id);
    else if (by > 0) {
      attempt.keepDraft();
      app.show("review");
    }
  };
  useEffect(() => { if (item) app.readable(); }, [item === undefined]);
  useKeys((event) => {
    const now = items[place()];
    if (now && over === null && !attempt.log.head.superseded && app.news.length === 0 && attempt.pausedSince === null) pressed(event, { item: now, attempt, turn, report: () => setOver("report") });
  });
  if (!item) return <Page title={t("wait.opening")}><p /></Page>;
  const close = () => setOver(null);
  return (
    <div class="test">
      <Top app={app} attempt={attempt} at={at} all={items.length} open={setOver} />
      <div class="two">
        <main>
          {attempt.log.head.superseded ? <Superseded app={app} /> : attempt.pausedSince !== null ? <Pause /> : (
            <>
              <Question item={item} number={at + 1} answering={answeringOf(attempt)} language={attempt.textLanguage ?? app.settings.language} erratum={errata(attempt.record.controls).get(item.id)} />
              <ReportButton reported={attempt.paper.reported.has(item.id)} open={() => setOver("report")} />
            </>
          )}
        </main>
        {wide && <Side app={app} attempt={attempt} />}
      </div>
      {!attempt.log.head.superseded && attempt.pausedSince === null && <Bottom attempt={attempt} item={item} at={at} all={items.length} turn={turn} />}
      {over === "grid" && <GridDialog app={app} attempt={attempt} close={close} />}
      {over === "menu" && <MenuDialog app={app} attempt={attempt} close={close} />}
      {over === "save" && <SaveDialog attempt={attempt} close={close} />}
      {over === "camera" && <CameraDialog app={app} close={close} />}
      {over === "report" && <ReportDialog attempt={attempt} item={item.id} close={close} />}
      {over === null && <News app={app} />}
    </div>
  );
}

function Side({ app, attempt }: { app: App; attempt: Attempt }) {
  return (
    <aside aria-label={t("grid.title")}>
      <h2>{t("grid.title")}</h2>
      <Grid attempt={attempt} go={(id) => attempt.go(id)} />
      <Legend />
      <button type="button" class="secondary" onClick={() => app.show("review")}>{t("grid.review")}</button>
      <p class="quiet">{t("menu.keys")}</p>
    </aside>
  );
}

/** As wide as the side column needs (style.css). */
function useWide(): boolean {
  const [wide, setWide] = useState(() => matchMedia(WIDE).matches);
  useEffect(() => {
    const resized = () => setWide(matchMedia(WIDE).matches);
    addEventListener("resize", resized);
    return () => removeEventListener("resize", resized);
  }, []);
  return wide;
}

function Top({ app, attempt, at, all, open }: { app: App; attempt: Attempt; at: number; all: number; open: (over: Over) => void }) {
  const { level } = savedOf(attempt);
  return (
    <header class="top">
      <div class="bar">
        <button type="button" class="bare counter" aria-haspopup="dialog" aria-label={t("top.grid", { n: at + 1, all })} onClick={() => open("grid")}>
          <Icon name="grid" /><span>{at + 1} / {all}</span>
        </button>
        <Clock app={app} attempt={attempt} />
        <CameraSign app={app} open={() => open("camera")} />
        <button type="button" class={`bare saved ${level}`} aria-haspopup="dialog" aria-busy={level === "writing"} aria-label={`${t("top.save")}: ${said(level)}`} onClick={() => open("save")}><Icon name={level === "writing" ? "device" : level} /></button>
        <button type="button" class="bare" aria-haspopup="dialog" aria-label={t("top.menu")} onClick={() => open("menu")}><Icon name="menu" /></button>
      </div>
      <div class={`line ${level}`} aria-hidden="true" />
      <SpokenState level={level} />
      <LiveBar />
      <Banner app={app} attempt={attempt} />
    </header>
  );
}

function said(level: SaveLevel): string {
  return t(`save.state_${level}`);
}

/** A screen reader hears of saving only when it gets worse than «on this device». */
function SpokenState({ level }: { level: SaveLevel }) {
  return <p class="unseen-text" aria-live="polite">{level === "memory" ? said(level) : ""}</p>;
}

function Clock({ app, attempt }: { app: App; attempt: Attempt }) {
  const [, again] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => again((n) => n + 1), 500);
    return () => clearInterval(timer);
  }, []);
  const left = attempt.left();
  if (left === null) return null;
  const time = timeLeft(left);
  const hidden = app.settings.hide_clock && left > 120_000;
  // Heard twice only: at five minutes and at one.
  const spoken = Math.ceil(left / 1000) === 300 || Math.ceil(left / 1000) === 60 ? time : "";
  return (
    <>
      <button type="button" class="bare time" aria-label={hidden ? t("top.time_hidden") : t("top.time", { time })} onClick={() => app.toggleClock()}>
        <Icon name="clock" />{!hidden && <span>{time}</span>}
      </button>
      <span class="unseen-text" aria-live="polite">{spoken}</span>
    </>
  );
}

/** At most one calm line. */
function Banner({ app, attempt }: { app: App; attempt: Attempt }) {
  if (attempt.sender.rejected) {
    return (
      <div class="banner" role="status">
        <p>{t("save.rejected")}</p>
        <button type="button" class="secondary" onClick={() => void app.leave()}>{t("save.rejected_button")}</button>
      </div>
    );
  }
  const text = attempt.log.unsavedCount > 0 ? t("save.state_memory") : attempt.sender.line === "down" ? t("save.offline") : cameraLine(app);
  return <div class={text ? "banner" : "banner none"} role="status">{text && <p>{text}</p>}</div>;
}

function Pause() {
  return (
    <section class="card pause" role="status">
      <h1 tabIndex={-1}>{t("pause.title")}</h1>
      <p>{t("pause.lead")}</p>
    </section>
  );
}

/** A newer device writes: nothing can be answered here until the pupil signs in again. */
function Superseded({ app }: { app: App }) {
  return (
    <section class="card pause" role="status">
      <p>{t("save.superseded")}</p>
      <button type="button" class="primary big" id="go-on-here" onClick={() => void app.leave()}>{t("save.superseded_button")}</button>
    </section>
  );
}

function ReportButton({ reported, open }: { reported: boolean; open: () => void }) {
  if (reported) return <p class="quiet reported"><Icon name="check" /><span>{t("q.reported")}</span></p>;
  return <button type="button" class="link report" aria-haspopup="dialog" onClick={open}><Icon name="flag" /><span>{t("q.report")}</span></button>;
}

function Bottom({ attempt, item, at, all, turn }: { attempt: Attempt; item: Item; at: number; all: number; turn: (by: number) => void }) {
  const marked = attempt.paper.marked.has(item.id);
  // The second half of a double tap, which children make, would leave a question behind that nobody has seen.
  const last = at === all - 1;
  return (
    <nav class="bottom" aria-label={t("nav.label")}>
      <button type="button" class="secondary" disabled={at === 0} onClick={() => turn(-1)}><Icon name="back" /><span>{t("nav.back")}</span></button>
      <button type="button" class={marked ? "secondary marked" : "secondary"} aria-pressed={marked} onClick={() => attempt.mark(item.id)}>
        <Icon name="mark" filled={marked} /><span>{t("nav.mark")}</span>
      </button>
      <button type="button" class="primary" id="next" onClick={(event) => { if (event.detail < 2) turn(1); }}><span>{last ? t("nav.review") : t("nav.next")}</span><Icon name="next" /></button>
    </nav>
  );
}

function useKeys(heard: (event: KeyboardEvent) => void): void {
  // Before the question is painted: an effect after it would lose what is pressed at once, and on a weak machine that is long.
  useLayoutEffect(() => {
    addEventListener("keydown", heard);
    return () => removeEventListener("keydown", heard);
  });
}

interface Place { item: Item; attempt: Attempt; turn: (by: number) => void; report: () => void }

/** 1–9 choose, left and right turn the page, M marks, R reports: by place of the key, so that any keyboard layout does. */
function pressed(event: KeyboardEvent, { item, attempt, turn, report }: Place): void {
  const { target } = event;
  const typing = target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && target.type === "text");
  if (typing || event.ctrlKey || event.altKey || event.metaKey) return;
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
  const option = digit ? item.options?.[Number(digit) - 1] : undefined;
  if (option) attempt.choose(item.id, toggled(item, attempt.answer(item.id), option.id));
  else if (event.code === "ArrowRight") turn(1);
  else if (event.code === "ArrowLeft") turn(-1);
  else if (event.code === "KeyM") attempt.mark(item.id);
  else if (event.code === "KeyR") report();
  else return;
  event.preventDefault();
}
