/** All questions at a glance: answered, marked, empty, not seen; by shape as well as by colour. */

import type { Attempt } from "../attempt";
import { errata } from "../controls";
import { t } from "../i18n";
import type { Item } from "../protocol";

type State = "answered" | "empty" | "unseen";

function stateOf(attempt: Attempt, item: Item): State {
  if (attempt.paper.answers.has(item.id)) return "answered";
  return attempt.paper.seen.has(item.id) ? "empty" : "unseen";
}

export function Grid({ attempt, go, only }: { attempt: Attempt; go: (item: number) => void; only?: (item: Item) => boolean }) {
  const corrected = errata(attempt.record.controls);
  return (
    <ol class="grid">
      {attempt.items.map((item, i) => {
        if (only && !only(item)) return null;
        const state = stateOf(attempt, item);
        const marked = attempt.paper.marked.has(item.id);
        const said = marked ? t("grid.both", { one: t(`grid.${state}`), other: t("grid.marked") }) : t(`grid.${state}`);
        const name = [state, marked && "is-marked", corrected.has(item.id) && "is-corrected"].filter(Boolean).join(" ");
        return (
          <li>
            <button type="button" class={name} aria-label={t("grid.item", { n: i + 1, state: said })}
              aria-current={attempt.paper.place === item.id ? "step" : undefined} onClick={() => go(item.id)}>
              {i + 1}
            </button>
          </li>
        );
      })}
    </ol>
  );
}

export function Legend() {
  return (
    <ul class="legend" aria-hidden="true">
      <li><span class="answered" />{t("grid.answered")}</li>
      <li><span class="empty" />{t("grid.empty")}</li>
      <li><span class="unseen" />{t("grid.unseen")}</li>
      <li><span class="empty is-marked" />{t("grid.marked")}</li>
    </ul>
  );
}
