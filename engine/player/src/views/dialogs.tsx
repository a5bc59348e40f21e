/** What opens over a question: all questions, menu, what is saved, the report, news from the staff. */

import type { App } from "../app";
import type { Attempt } from "../attempt";
import { messages } from "../controls";
import { pick, t } from "../i18n";
import type { Control, ControlBody, ReportReason } from "../protocol";
import { savedOf } from "../saved";
import { Grid, Legend } from "./grid";
import { Dialog, Icon, Languages, WhomToCall } from "./parts";
import { Rescue } from "./rescue";

interface Over { app: App; attempt: Attempt; close: () => void }

export function GridDialog({ app, attempt, close }: Over) {
  return (
    <Dialog title={t("grid.title")} close={close}>
      <Grid attempt={attempt} go={(item) => { attempt.go(item); close(); }} />
      <Legend />
      <button type="button" class="primary" onClick={() => { close(); app.show("review"); }}>{t("grid.review")}</button>
    </Dialog>
  );
}

export function MenuDialog({ app, attempt, close }: Over) {
  const { text_size } = app.settings;
  const { sitting } = attempt.record.signed_in;
  const said = messages(attempt.record.controls);
  return (
    <Dialog title={t("menu.title")} close={close}>
      <h3>{t("language.label")}</h3>
      <Languages app={app} offered={sitting.languages} />
      <h3>{t("menu.size")}</h3>
      <div class="row sizes">
        <button type="button" class="secondary" disabled={text_size <= 100} aria-label={t("menu.smaller")} onClick={() => app.setTextSize(text_size - 25)}>A−</button>
        <output>{t("menu.size_now", { n: text_size })}</output>
        <button type="button" class="secondary" disabled={text_size >= 200} aria-label={t("menu.larger")} onClick={() => app.setTextSize(text_size + 25)}>A+</button>
      </div>
      {said.length > 0 && <h3>{t("menu.messages")}</h3>}
      {said.map((message) => <p class="message">{pick(message.text)}</p>)}
      <h3>{t("menu.help")}</h3>
      <WhomToCall help={sitting.help} />
      <p class="quiet keys">{t("menu.keys")}</p>
      {attempt.sender.line === "down" && <Rescue attempt={attempt} />}
    </Dialog>
  );
}

export function SaveDialog({ attempt, close }: Omit<Over, "app">) {
  const { all, device, server, durable } = savedOf(attempt);
  return (
    <Dialog title={t("save.title")} close={close}>
      <ul class="findings">
        <li><Icon name="device" /><span>{t("save.device", { n: device, all })}</span></li>
        <li><Icon name="server" /><span>{t("save.server", { n: server, all })}</span></li>
        <li><Icon name="durable" /><span>{t("save.durable", { n: durable, all })}</span></li>
      </ul>
      <p class="quiet">{t("save.explain")}</p>
    </Dialog>
  );
}

const REASONS: readonly ReportReason[] = ["no-right-answer", "picture", "wording", "other"];

export function ReportDialog({ attempt, item, close }: Omit<Over, "app"> & { item: number }) {
  const report = (reason: ReportReason) => {
    attempt.report(item, reason);
    close();
  };
  return (
    <Dialog title={t("report.title")} close={close}>
      <p class="quiet">{t("report.lead")}</p>
      <div class="stack">
        {REASONS.map((reason) => <button type="button" class="secondary" onClick={() => report(reason)}>{t(`report.${reason}`)}</button>)}
      </div>
    </Dialog>
  );
}

/** Messages, corrections, time: as plain text, one after the other, until the pupil has read them. */
export function News({ app }: { app: App }) {
  const [control] = app.news;
  if (!control) return null;
  const close = () => app.acknowledge(control.version);
  return (
    <Dialog key={control.version} title={titleOf(control)} close={close}>
      <p>{textOf(control)}</p>
      <button type="button" class="primary" onClick={close}>{t("news.ok")}</button>
    </Dialog>
  );
}

function titleOf({ kind }: Control): string {
  if (kind === "credit") return t("news.credit_title");
  return kind === "erratum" ? t("q.erratum") : t("news.message");
}

function textOf({ kind, body }: Control): string {
  if (kind === "extra") return t("news.extra");
  if (kind === "resume") return t("news.resume");
  if (kind === "reopen") return t("news.reopen");
  if (kind === "credit") return creditText(body);
  return pick(body.text ?? {});
}

function creditText({ credit_s = 0 }: ControlBody): string {
  if (credit_s === 0) return t("news.credit_entry");
  return credit_s < 120 ? t("news.credit_seconds", { n: credit_s }) : t("news.credit_minutes", { n: Math.floor(credit_s / 60) });
}
