/** The controls of the six kinds. Inputs are real ones, so that keys and screen readers know them. */

import { useLayoutEffect, useRef } from "preact/hooks";
import type { Answering } from "../answering";
import { t } from "../i18n";
import type { Gap, Item, Language, Option as Choice, Value } from "../protocol";
import { fill, Html, type Zoomed } from "./html";
import { Icon } from "./parts";

interface Props { item: Item; answering: Answering; language: Language; zoom: (picture: Zoomed) => void; hint: string }

export function Answers(props: Props) {
  switch (props.item.kind) {
    case "single":
    case "picture":
    case "multiple":
      return <Choices {...props} />;
    case "dropdown":
      return null;
    case "numeric":
      return <NumberField {...props} />;
    case "short_text":
      return <TextField {...props} />;
  }
}

/** As on the country's paper tests, in every language. */
const LETTERS = "ABCDEFGHI";

/** The next value when the option is touched: one of them, or some of them in the order of touching. */
export function toggled(item: Item, before: unknown, option: number): number | number[] {
  if (item.kind !== "multiple") return option;
  const chosen = Array.isArray(before) ? (before as number[]) : [];
  return chosen.includes(option) ? chosen.filter((id) => id !== option) : [...chosen, option];
}

function Choices({ item, answering, zoom, hint }: Props) {
  const value = answering.answer(item.id);
  const many = item.kind === "multiple";
  const chosen = (option: Choice) => (Array.isArray(value) ? value.includes(option.id) : value === option.id);
  const options = item.options ?? [];
  const pictures = options.some((option) => option.picture);
  return (
    <fieldset class={pictures ? "choices pictures" : "choices"}>
      <legend>{hint}</legend>
      {options.map((option, i) => (
        <label class={chosen(option) ? "option chosen" : "option"}>
          <input type={many ? "checkbox" : "radio"} name={`item-${item.id}`} checked={chosen(option)}
            onChange={() => answering.choose(item.id, toggled(item, answering.answer(item.id), option.id))} />
          <span class={many ? "letter square" : "letter"} aria-hidden="true">{many && chosen(option) ? <Icon name="check" /> : LETTERS.charAt(i)}</span>
          <span class="words">
            {option.picture && <OptionPicture option={option} answering={answering} zoom={zoom} />}
            {option.text && <Html html={option.text} picture={answering.picture} zoom={zoom} />}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function OptionPicture({ option, answering, zoom }: { option: Choice; answering: Answering; zoom: Props["zoom"] }) {
  const box = useRef<HTMLSpanElement>(null);
  const image = useRef<HTMLImageElement>(null);
  useLayoutEffect(() => {
    if (image.current && box.current && option.picture) fill(image.current, box.current, () => answering.picture(option.picture ?? ""));
  }, [option.picture]);
  const open = (event: Event) => {
    event.preventDefault();
    if (image.current?.src) zoom({ src: image.current.src, alt: option.alt ?? "" });
  };
  return (
    <span ref={box} class="pane">
      <img ref={image} alt={option.alt ?? ""} />
      <button type="button" class="bare" aria-label={t("q.zoom")} onClick={open}><Icon name="zoom" /></button>
    </span>
  );
}

/** Comma or point, as the pupil writes it: «3,5» goes to the server as typed. */
function NumberField({ item, answering, hint }: Props) {
  const value = answering.answer(item.id);
  return (
    <div class="typed">
      <label for={`item-${item.id}`}>{hint}</label>
      <div class="number">
        <input id={`item-${item.id}`} type="text" inputMode="decimal" autocomplete="off" maxLength={40} value={typeof value === "string" ? value : ""}
          onInput={(event) => {
            const kept = event.currentTarget.value.replace(/[^\d.,\-−+/ ]/g, "");
            if (kept !== event.currentTarget.value) event.currentTarget.value = kept;
            answering.type(item.id, kept);
          }} onBlur={() => answering.rest()} />
        <button type="button" class="secondary minus" aria-label={t("q.minus")} onPointerDown={(event) => event.preventDefault()}
          onClick={() => answering.type(item.id, negated(answering.answer(item.id)))}>−</button>
        {item.unit && <span class="unit">{item.unit}</span>}
      </div>
    </div>
  );
}

/** Many a phone's number keys have no minus. */
function negated(value: Value): string {
  const text = typeof value === "string" ? value : "";
  return /^[-−]/.test(text) ? text.slice(1) : `-${text}`;
}

const KAZAKH = ["ә", "ғ", "қ", "ң", "ө", "ұ", "ү", "һ", "і"];
/** 4 000 bytes are the server's limit; three bytes a character are the most here. */
const TEXT_LIMIT = 1_300;

/** No half of a surrogate pair and no zero character: the server could not keep them. */
export function cleanText(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u0000|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(^|[^\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "$1");
}

function TextField({ item, answering, language, hint }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const value = answering.answer(item.id);
  const put = (text: string) => answering.type(item.id, cleanText(text).slice(0, TEXT_LIMIT));
  const insert = (letter: string) => {
    const { current } = field;
    if (!current) return;
    const [from, to] = [current.selectionStart, current.selectionEnd];
    current.setRangeText(letter, from, to, "end");
    current.focus();
    put(current.value);
  };
  return (
    <div class="typed">
      <label for={`item-${item.id}`}>{hint}</label>
      <textarea id={`item-${item.id}`} ref={field} rows={2} maxLength={TEXT_LIMIT} autocomplete="off" spellcheck={false} lang={language}
        value={typeof value === "string" ? value : ""} onInput={(event) => put(event.currentTarget.value)} onBlur={() => answering.rest()} />
      {language !== "en" && (
        <div class="letters" role="group" aria-label={t("q.letters")}>
          {KAZAKH.map((letter) => (
            <button type="button" onPointerDown={(event) => event.preventDefault()} onClick={() => insert(letter)}>{letter}</button>
          ))}
        </div>
      )}
    </div>
  );
}

/** The select of one gap, made by hand since it stands in the middle of the item's own text. */
export function gapSelect(item: Item, gap: Gap, answering: Answering, number: number): HTMLSelectElement {
  const select = document.createElement("select");
  select.className = "gap";
  select.dataset["gapOf"] = gap.id;
  select.setAttribute("aria-label", `${t("q.pick")} ${number}`);
  select.appendChild(new Option(t("q.pick"), ""));
  for (const option of gap.options) select.appendChild(new Option(option.text ?? "", String(option.id)));
  select.value = String(chosenGaps(item, answering)[gap.id] ?? "");
  select.addEventListener("change", () => {
    const before = { ...chosenGaps(item, answering) };
    if (select.value === "") delete before[gap.id];
    else before[gap.id] = Number(select.value);
    answering.choose(item.id, Object.keys(before).length > 0 ? before : null);
  });
  return select;
}

function chosenGaps(item: Item, answering: Answering): Record<string, number> {
  const value = answering.answer(item.id);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}
