import type { App } from "../app";
import { pick, t, when } from "../i18n";
import type { ReceiptRecord } from "../store";
import { News } from "./dialogs";
import { Page } from "./parts";

export function Receipt({ app, receipt }: { app: App; receipt: ReceiptRecord }) {
  return (
    <Page title={t("receipt.title", { name: receipt.first_name })} art="done">
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
