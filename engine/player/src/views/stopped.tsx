/** The sitting was stopped: what is safe, what comes next, whom to call. Nothing is handed in. */

import type { App } from "../app";
import type { Attempt } from "../attempt";
import { t } from "../i18n";
import { News } from "./dialogs";
import { Languages, Page, WhomToCall } from "./parts";
import { Rescue } from "./rescue";

export function Stopped({ app, attempt }: { app: App; attempt: Attempt }) {
  const { sender, log } = attempt;
  const { durable } = sender.ledger.progress(log.last);
  const down = sender.line === "down";
  return (
    <Page title={t("stopped.title")} art="steppe">
      <p class="strong" role="status">{t(down ? "stopped.offline" : "stopped.lead")}</p>
      {log.last > 0 && (
        <label class="quiet">
          {t("handed.progress", { n: durable, all: log.last })}
          <progress max={log.last} value={durable} />
        </label>
      )}
      <p>{t("stopped.next")}</p>
      {down && <Rescue attempt={attempt} />}
      <WhomToCall help={attempt.record.signed_in.sitting.help} />
      <Languages app={app} />
      <News app={app} />
    </Page>
  );
}
