import { useState } from "preact/hooks";
import type { Attempt } from "../attempt";
import { t } from "../i18n";

/** When no network comes back at all: everything in one sealed file. */
export function Rescue({ attempt }: { attempt: Attempt }) {
  const [said, setSaid] = useState<string | null>(null);
  if (!attempt.record.signed_in.rescue_key) return null;
  const make = async (share: boolean) => {
    try {
      const { rescueFile, saveFile, shareFile } = await import("../rescue");
      const file = await rescueFile(attempt);
      if (share) await shareFile(file);
      else saveFile(file);
      setSaid(t("rescue.done", { name: file.name }));
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "AbortError")) setSaid(t("rescue.failed"));
    }
  };
  return (
    <section class="card" aria-labelledby="rescue">
      <h2 id="rescue">{t("rescue.title")}</h2>
      <p>{t("rescue.lead")}</p>
      <div class="row">
        <button type="button" class="secondary" onClick={() => void make(false)}>{t("rescue.save")}</button>
        {typeof navigator.canShare === "function" && <button type="button" class="secondary" onClick={() => void make(true)}>{t("rescue.share")}</button>}
      </div>
      {said && <p role="status">{said}</p>}
    </section>
  );
}
