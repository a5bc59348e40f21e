import { t } from "../i18n";
import { Page } from "./parts";

export function Wrong() {
  return (
    <Page title={t("wrong.title")}>
      <p>{t("wrong.lead")}</p>
      <button type="button" class="primary big" onClick={() => location.reload()}>{t("wrong.again")}</button>
    </Page>
  );
}
