/** One field that puts itself into groups of four; the caret stays where the finger is. */

import { useRef, useState } from "preact/hooks";
import { CODE_LENGTH, otherKeyboard, readCode, showCode } from "../code";
import { t } from "../i18n";

interface Props { id: string; code: string; length: number; change: (code: string) => void; bad: boolean }

export function CodeField({ id, code, length, change, bad }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [foreign, setForeign] = useState(false);
  const typed = () => {
    const field = input.current;
    if (!field) return;
    setForeign(otherKeyboard(field.value));
    const before = readCode(field.value.slice(0, field.selectionStart ?? field.value.length), length).length;
    const next = readCode(field.value, length);
    const shown = showCode(next);
    const caret = before === next.length ? shown.length : before + Math.floor(before / 4);
    field.value = shown;
    field.setSelectionRange(caret, caret);
    change(next);
  };
  return (
    <>
      <input id={id} ref={input} class={length > CODE_LENGTH ? "code long" : "code"} type="text" inputMode="text" autocomplete="off" autocapitalize="characters" spellcheck={false}
        autocorrect="off" placeholder={showCode("·".repeat(length))} value={showCode(code)} onInput={typed} aria-invalid={bad} aria-describedby={`${id}-help`} />
      <p class={foreign ? "trouble" : ""} role="status">{foreign && t("code.keyboard")}</p>
    </>
  );
}
