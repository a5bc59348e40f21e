/** Three easy questions to find out how answering works. Needs no server, keeps nothing. */

import { useState } from "preact/hooks";
import type { Answering } from "../answering";
import type { App } from "../app";
import balls from "../art/practice.svg";
import { t } from "../i18n";
import { practiceItems } from "../practice";
import type { Value } from "../protocol";
import { Icon } from "./parts";
import { Question } from "./question";

export function Practice({ app }: { app: App }) {
  const [at, setAt] = useState(0);
  const [answers, setAnswers] = useState<Record<number, Value>>({});
  const items = practiceItems(app.settings.language);
  const item = items[at];
  if (!item) return null;
  const put = (id: number, value: Value) => setAnswers((before) => ({ ...before, [id]: value }));
  const answering: Answering = {
    answer: (id) => answers[id] ?? null, choose: put, type: put, rest: () => undefined, picture: () => Promise.resolve(balls),
  };
  const last = at === items.length - 1;
  const back = () => app.show("waiting");
  return (
    <div class="test">
      <header class="top"><div class="bar"><p class="counter"><Icon name="grid" /><span>{at + 1} / {items.length}</span></p><p class="grow">{t("practice.title")}</p>
        <button type="button" class="bare" aria-label={t("practice.back")} onClick={back}><Icon name="close" /></button></div>
        <div class="banner" role="note"><p>{t("practice.note")}</p></div>
      </header>
      <div class="two">
        <main>
          <Question item={item} number={at + 1} answering={answering} language={app.settings.language} />
          {last && answers[item.id] != null && <p class="good" role="status"><Icon name="check" /><span>{t("practice.done")}</span></p>}
        </main>
      </div>
      <nav class="bottom" aria-label={t("nav.label")}>
        <button type="button" class="secondary" disabled={at === 0} onClick={() => setAt(at - 1)}><Icon name="back" /><span>{t("nav.back")}</span></button>
        {last
          ? <button type="button" class="primary" onClick={back}><span>{t("practice.back")}</span></button>
          : <button type="button" class="primary" onClick={() => setAt(at + 1)}><span>{t("nav.next")}</span><Icon name="next" /></button>}
      </nav>
    </div>
  );
}
