/** Before the end: what is empty, what is marked, and a way back to each. */

import { useState } from "preact/hooks";
import type { App } from "../app";
import type { Attempt } from "../attempt";
import { t, timeLeft } from "../i18n";
import { LiveBar } from "./camera";
import { News } from "./dialogs";
import { Grid, Legend } from "./grid";
import { Dialog, Page } from "./parts";

export function Review({ app, attempt }: { app: App; attempt: Attempt }) {
  const [asking, setAsking] = useState(false);
  const { items, paper } = attempt;
  const empty = items.filter((item) => !paper.answers.has(item.id)).length;
  const marked = items.filter((item) => paper.marked.has(item.id)).length;
  const left = attempt.left();
  const go = (item: number) => {
    attempt.go(item);
    app.show("test");
  };
  return (
    <Page title={t("review.title")}>
      <LiveBar />
      {empty === 0 ? <p class="strong">{t("review.all", { n: items.length })}</p> : <p class="strong">{t("review.empty", { n: empty })}</p>}
      {marked > 0 && <p>{t("review.marked", { n: marked })}</p>}
      <Grid attempt={attempt} go={go} />
      <Legend />
      {left !== null && <p class="quiet">{t("review.time", { time: timeLeft(left) })}</p>}
      <div class="stack">
        <button type="button" class="secondary big" onClick={() => app.show("test")}>{t("review.back")}</button>
        <button type="button" class="primary big" id="finish" onClick={() => setAsking(true)}>{t("review.finish")}</button>
      </div>
      {asking && (
        <Dialog title={t("finish.title")} close={() => setAsking(false)}>
          {empty > 0 && <p class="strong">{t("finish.empty", { n: empty })}</p>}
          {marked > 0 && <p class="strong">{t("finish.marked", { n: marked })}</p>}
          <p>{t("finish.lead")}</p>
          <div class="row">
            <button type="button" class="secondary" onClick={() => setAsking(false)}>{t("finish.no")}</button>
            <button type="button" class="primary" id="finish-yes" onClick={() => void attempt.finish(false)}>{t("finish.yes")}</button>
          </div>
        </Dialog>
      )}
      <News app={app} />
    </Page>
  );
}
