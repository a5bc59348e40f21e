/** Days before the test, without a code: does this phone have a camera, and is the light good? Nothing is kept or sent. */

import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { Page } from "../views/parts";
import { Camera, cameraThere, troubleOf, type Trouble } from "./camera";
import { Preview, TROUBLES } from "./card";
import { isDark } from "./glance";

export function Trial({ back }: { back: () => void }) {
  const [camera, setCamera] = useState<Camera | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(cameraThere() ? null : "none");
  const [dark, setDark] = useState<boolean | null>(null);
  useEffect(() => {
    if (!camera) return;
    const timer = setInterval(() => {
      const seen = camera.look();
      if (seen) setDark(isDark(seen));
    }, 1000);
    return () => {
      clearInterval(timer);
      camera.close();
    };
  }, [camera]);
  const open = () => {
    setTrouble(null);
    Camera.open().then(setCamera, (error: unknown) => setTrouble(troubleOf(error)));
  };
  return (
    <Page title={t("trial.title")}>
      <p>{t("trial.lead")}</p>
      {camera ? <Preview stream={camera.stream} /> : <button type="button" class="primary big" id="trial-open" onClick={open}>{t("watch.again")}</button>}
      {trouble && <p class="message" role="status">{t(TROUBLES[trouble])}</p>}
      {camera && dark !== null && <p class={dark ? "quiet" : "good"} role="status"><span>{t(dark ? "watch.dark" : "trial.good")}</span></p>}
      <p class="quiet">{t("watch.no_cost")}</p>
      <button type="button" class="secondary big" onClick={back}>{t("trial.back")}</button>
    </Page>
  );
}
