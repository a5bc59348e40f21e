/** One question: stimulus, prompt, answers. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Answering } from "../answering";
import { pick, t } from "../i18n";
import type { Item, Language, Texts } from "../protocol";
import { hush, readAloud, voiceFor, whenVoicesCome } from "../speech";
import { isEmpty } from "../state";
import { Answers, gapSelect } from "./answers";
import { Html, type Zoomed } from "./html";
import { Dialog, Icon } from "./parts";

interface Props { item: Item; number: number; answering: Answering; language: Language; erratum?: Texts | undefined }

export function Question({ item, number, answering, language, erratum }: Props) {
  const [zoomed, zoom] = useState<Zoomed | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const text = useRef<HTMLDivElement>(null);
  // As it is drawn, like a page's heading: later it would take the keys away from who writes already.
  useLayoutEffect(() => {
    heading.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
    return hush;
  }, [item.id]);
  const numbers = new Map((item.gaps ?? []).map((gap, i) => [gap.id, i + 1]));
  const gap = (id: string) => {
    const found = item.gaps?.find((one) => one.id === id);
    return found ? gapSelect(item, found, answering, numbers.get(id) ?? 1) : document.createTextNode("…");
  };
  const value = answering.answer(item.id);
  useLayoutEffect(() => {
    if (item.kind !== "dropdown") return;
    const chosen = (value ?? {}) as Record<string, number>;
    text.current?.querySelectorAll<HTMLSelectElement>("select.gap").forEach((select) => {
      select.value = String(chosen[select.dataset["gapOf"] ?? ""] ?? "");
    });
  }, [item.id, value]);
  return (
    <article class="question" lang={language}>
      <div class="heading">
        <h1 tabIndex={-1} ref={heading} id="question">{t("q.heading", { n: number })}</h1>
        <ReadAloud language={language} text={() => text.current?.innerText ?? ""} />
      </div>
      {erratum && <p class="erratum" role="note"><strong>{t("q.erratum")}</strong> {pick(erratum)}</p>}
      <div ref={text} key={`${item.id} ${language}`}>
        {item.stimulus && <Html class="stimulus" html={item.stimulus} picture={answering.picture} zoom={zoom} />}
        <Html class={item.kind === "dropdown" ? "prompt gaps" : "prompt"} html={item.prompt} picture={answering.picture} zoom={zoom} gap={gap} />
        <Answers item={item} answering={answering} language={language} zoom={zoom} hint={hintOf(item)} />
      </div>
      {!isEmpty(value) && item.kind !== "numeric" && item.kind !== "short_text" && (
        <button type="button" class="link" onClick={() => answering.choose(item.id, null)}>{t("q.clear")}</button>
      )}
      {zoomed && <Zoom picture={zoomed} close={() => zoom(null)} />}
    </article>
  );
}

function hintOf(item: Item): string {
  if (item.kind === "multiple") return t("q.choose_many");
  if (item.kind === "numeric") return t("q.number");
  return item.kind === "short_text" ? t("q.text") : t("q.choose_one");
}

/** The picture as large as the screen; a tap makes it larger, and it can be moved about by scrolling. */
function Zoom({ picture, close }: { picture: Zoomed; close: () => void }) {
  const [large, setLarge] = useState(false);
  return (
    <Dialog title={picture.alt || t("q.zoom")} close={close} wide>
      <button type="button" class={large ? "zoom large" : "zoom"} aria-label={t("q.zoom")} aria-pressed={large} onClick={() => setLarge(!large)}>
        <img src={picture.src} alt={picture.alt} />
      </button>
    </Dialog>
  );
}

function ReadAloud({ language, text }: { language: Language; text: () => string }) {
  const [voice, setVoice] = useState(() => voiceFor(language));
  const [reading, setReading] = useState(false);
  useEffect(() => {
    setVoice(voiceFor(language));
    return whenVoicesCome(() => setVoice(voiceFor(language)));
  }, [language]);
  if (!voice) return null;
  const touch = () => {
    if (reading) hush();
    else readAloud(text(), voice, () => setReading(false));
    setReading(!reading);
  };
  return (
    <button type="button" class="quiet-button" aria-pressed={reading} onClick={touch}>
      <Icon name={reading ? "stop" : "sound"} /><span>{reading ? t("q.read_stop") : t("q.read")}</span>
    </button>
  );
}
