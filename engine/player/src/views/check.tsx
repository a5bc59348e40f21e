/** What to look at before the test; never an obstacle. */

import { useEffect, useState } from "preact/hooks";
import type { App } from "../app";
import type { Attempt } from "../attempt";
import { batteryFinding, browserFindings, clockFinding, lineFinding, sizeFinding, storageFinding, type Finding } from "../device";
import { t } from "../i18n";
import { CameraSection } from "./camera";
import { Icon, Page } from "./parts";

export function Check({ app, attempt }: { app: App; attempt: Attempt }) {
  const [own, setOwn] = useState<Finding[] | null>(null);
  useEffect(() => {
    void Promise.all([storageFinding(), batteryFinding()]).then(([storage, battery]) => {
      setOwn([...browserFindings(), ...storage, ...(battery ? [battery] : [])]);
    });
  }, []);
  const findings = own && [...own, ...lineFindings(app, attempt)];
  const order = { warn: 0, note: 1, fine: 2 };
  return (
    <Page title={t("check.title")}>
      <p class="quiet">{t("check.lead")}</p>
      {findings === null && <p role="status">{t("check.running")}</p>}
      <ul class="findings">
        {findings?.slice().sort((a, b) => order[a.level] - order[b.level]).map(({ level, key, values }) => (
          <li class={level}><Icon name={level === "fine" ? "check" : level === "note" ? "note" : "memory"} /><span>{t(key, values)}</span></li>
        ))}
      </ul>
      <CameraSection app={app} />
      <button type="button" class={app.watching?.asks ? "secondary big" : "primary big"} id="go-on" onClick={() => app.wait()}>{t("check.go")}</button>
    </Page>
  );
}

function lineFindings(app: App, attempt: Attempt): Finding[] {
  const bytes = app.opening?.progress.bytes ?? 0;
  const size = bytes > 0 ? [sizeFinding(bytes)] : [];
  return [clockFinding(attempt.clock.phoneOff()), lineFinding(attempt.clock.roundTrip), ...size];
}
