import type { App } from "../app";
import { t } from "../i18n";
import { LANGUAGES } from "../protocol";
import { LANGUAGE_NAMES, Page } from "./parts";

export function ChooseLanguage({ app }: { app: App }) {
  return (
    <Page title={t("language.title")} art="steppe">
      <div class="stack">
        {LANGUAGES.map((language, i) => (
          <button type="button" lang={language} class={i === 0 ? "primary big" : "secondary big"} onClick={() => void app.speak(language)}>
            {LANGUAGE_NAMES[language]}
          </button>
        ))}
      </div>
      <p class="quiet">{t("language.hint")}</p>
    </Page>
  );
}
