/** «Keep this page open»: until the server holds everything for good. */

import type { App } from "../app";
import type { Attempt } from "../attempt";
import { t } from "../i18n";
import { savedOf } from "../saved";
import { News } from "./dialogs";
import { Page, WhomToCall } from "./parts";
import { Rescue } from "./rescue";

export function HandedIn({ app, attempt }: { app: App; attempt: Attempt }) {
  const events = attempt.sender.ledger.progress(attempt.log.last);
  const saved = savedOf(attempt);
  const down = attempt.sender.line === "down";
  const offline = attempt.byItself ? t("handed.offline") : t("handed.offline_lead");
  const byItself = attempt.endedByStaff ? t("handed.ended") : t("handed.auto");
  return (
    <Page title={t("handed.title")} art="steppe">
      <p role="status" class="strong">{down ? offline : attempt.byItself ? byItself : t("handed.lead")}</p>
      <label class="quiet">
        {/* Who answered nothing hands in all the same, and needs no «0 of 0». */}
        {saved.all > 0 ? t("handed.progress", { n: saved.durable, all: saved.all }) : t("handed.nothing")}
        <progress max={events.device} value={events.durable} />
      </label>
      {saved.level === "memory" && <p class="trouble">{t("save.state_memory")}</p>}
      {down && <Rescue attempt={attempt} />}
      <WhomToCall help={attempt.record.signed_in.sitting.help} />
      {(attempt.log.head.superseded || attempt.sender.rejected) && <button type="button" class="link" onClick={() => void app.leave()}>{t("save.superseded_button")}</button>}
      <News app={app} />
    </Page>
  );
}
