import type { App } from "../app";
import { t } from "../i18n";
import { Page } from "./parts";

export function Elsewhere({ app }: { app: App }) {
  return (
    <Page title={t("elsewhere.title")}>
      <p>{t("elsewhere.lead")}</p>
      <button type="button" class="primary big" onClick={() => void app.takeOver()}>{t("elsewhere.take")}</button>
    </Page>
  );
}
