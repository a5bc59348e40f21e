import type { App } from "../app";
import { pick, t, when } from "../i18n";
import type { ReceiptRecord } from "../store";
import { News } from "./dialogs";
import { Page, WhomToCall } from "./parts";

export function Receipt({ app, receipt }: { app: App; receipt: ReceiptRecord }) {
  const ended = receipt.ended_by_staff === true;
  return (
    <Page title={t(ended ? "receipt.title_ended" : "receipt.title", { name: receipt.first_name })} art={ended ? "steppe" : "done"}>
      {ended && <p class="strong">{t(receipt.help?.phone ? "ended.ask" : "ended.ask_adult")}</p>}
      {ended && <WhomToCall help={receipt.help} />}
      <p class="strong">{t("receipt.lead")}</p>
      <section class="card receipt" aria-label={t("receipt.code")}>
        <p>{t("receipt.code")}</p>
        <p class="figure code">{receipt.code}</p>
        <p class="quiet">{t("receipt.code_help")}</p>
        <hr />
        <p>{pick(receipt.title)}</p>
        <p>{t("receipt.time", { when: when(receipt.at_ms) })}</p>
        <p>{t("receipt.count", { n: receipt.count })}</p>
      </section>
      <p class="quiet">{t("receipt.erased")}</p>
      <button type="button" class="secondary big" onClick={() => app.forgetReceipt()}>{t("receipt.next")}</button>
      <News app={app} />
    </Page>
  );
}
