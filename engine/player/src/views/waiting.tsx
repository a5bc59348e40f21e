/** The waiting room: who, what, when; the form on its way; a trial; and at T0 the test by itself. */

import { useEffect, useState } from "preact/hooks";
import type { App } from "../app";
import type { Attempt } from "../attempt";
import { creditOf } from "../controls";
import { moment, pick, t, waitLeft, when } from "../i18n";
import type { Opening } from "../opening";
import { CameraSection } from "./camera";
import { News } from "./dialogs";
import { Dialog, Icon, Languages, Page, WhomToCall } from "./parts";
import { RoomCode } from "./room_code";

export function Waiting({ app, attempt, opening }: { app: App; attempt: Attempt; opening: Opening }) {
  const [leaving, setLeaving] = useState(false);
  const { sitting, first_name, exam_room: room } = attempt.record.signed_in;
  const minutes = Math.round((sitting.duration_s + sitting.extra_s) / 60);
  return (
    <Page title={t("wait.title", { name: first_name })} art="steppe">
      <h2 class="sitting">{pick(sitting.title)}</h2>
      <State attempt={attempt} opening={opening} />
      {room && (opening.asksForCode || opening.stretching !== null) && <RoomCode opening={opening} room={room.name} />}
      <p>{t("wait.duration", { n: minutes })}</p>
      <Fetching opening={opening} />
      <CameraSection app={app} />
      <section class="card" aria-labelledby="prepare">
        <h2 id="prepare">{t("wait.prepare")}</h2>
        <ul class="ticks">
          {(["wait.prepare_1", "wait.prepare_2", "wait.prepare_3"] as const).map((key) => <li><Icon name="check" /><span>{t(key)}</span></li>)}
        </ul>
      </section>
      <button type="button" class="secondary big" onClick={() => app.show("practice")}>{t("wait.practice")}</button>
      <Languages app={app} />
      <WhomToCall help={sitting.help} />
      <button type="button" class="link" onClick={() => setLeaving(true)}>{t("wait.leave")}</button>
      {leaving && <LeaveDialog name={first_name} close={() => setLeaving(false)} leave={() => void app.leave()} />}
      <News app={app} />
    </Page>
  );
}

function State({ attempt, opening }: { attempt: Attempt; opening: Opening }) {
  const { sitting } = attempt.record.signed_in;
  switch (opening.stage) {
    case "waits":
      return (
        <div class="card countdown">
          <p>{t("wait.left")}</p>
          <Countdown until={() => sitting.starts_ms - attempt.clock.now()} />
          <p class="quiet">{t("wait.starts", { when: when(sitting.starts_ms) })}</p>
        </div>
      );
    case "late":
      return (
        <div class="card countdown">
          <p>{t("wait.late")}</p>
          <button type="button" class="primary big" id="start" onClick={() => opening.start()}>{t("wait.start")}</button>
          <p class="quiet">{t("wait.late_until", { time: moment(sitting.last_entry_ms + 1000 * creditOf(attempt.record.controls).entry_s, attempt.clock.now()) })}</p>
        </div>
      );
    default:
      return (
        <div class="card countdown" role="status">
          <p class="strong">{t(SAID[opening.stage])}</p>
          {(opening.stage === "closed" || opening.stage === "over") && <WhomToCall help={sitting.help} />}
        </div>
      );
  }
}

const SAID = {
  soon: "wait.soon", opening: "wait.opening", open: "wait.opening", "no-line": "wait.no_line", busy: "wait.busy",
  closed: "wait.closed", over: "signin.over",
} as const;

function Countdown({ until }: { until: () => number }) {
  const [left, setLeft] = useState(until);
  useEffect(() => {
    const timer = setInterval(() => setLeft(until()), 500);
    return () => clearInterval(timer);
  });
  return <p class="figure" role="timer">{waitLeft(Math.max(0, left))}</p>;
}

function Fetching({ opening }: { opening: Opening }) {
  const { bytes, bytes_have } = opening.progress;
  const percent = bytes > 0 ? Math.floor((100 * bytes_have) / bytes) : 0;
  if (opening.complete) return <p class="good"><Icon name="check" /><span>{t("wait.fetched")}</span></p>;
  return (
    <div>
      <label class="quiet">
        {opening.fetchFailed ? t("wait.fetch_no_line") : t("wait.fetching", { n: percent })}
        <progress max={100} value={percent} />
      </label>
    </div>
  );
}

function LeaveDialog({ name, close, leave }: { name: string; close: () => void; leave: () => void }) {
  return (
    <Dialog title={t("leave.title")} close={close}>
      <p>{t("leave.lead", { name })}</p>
      <div class="row">
        <button type="button" class="secondary" onClick={close}>{t("leave.no")}</button>
        <button type="button" class="primary" onClick={leave}>{t("leave.yes")}</button>
      </div>
    </Dialog>
  );
}
