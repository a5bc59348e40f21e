/** In the waiting room when no key comes: the supervisor of the room has a code that opens the test without a line. */

import { useEffect, useRef, useState } from "preact/hooks";
import { ROOM_CODE_LENGTH, codeFits } from "../code";
import { t } from "../i18n";
import type { Opening } from "../opening";
import { CodeField } from "./code_field";

export function RoomCode({ opening, room }: { opening: Opening; room: string }) {
  const typed = useRef("");
  const [code, show] = useState("");
  const [short, setShort] = useState(false);
  const error = useRef<HTMLParagraphElement>(null);
  const slip = code.length === ROOM_CODE_LENGTH && !codeFits(code, ROOM_CODE_LENGTH);
  const left = useLeft(opening);
  const text = short ? t("room.short", { n: ROOM_CODE_LENGTH - code.length }) : slip ? t("room.slip") : troubleText(opening, room, left);
  const change = (next: string) => {
    typed.current = next;
    opening.codeTrouble = null;
    setShort(false);
    show(next);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    const missing = typed.current.length < ROOM_CODE_LENGTH;
    setShort(missing);
    if (!missing) void opening.tryCode(typed.current);
    error.current?.focus();
  };
  return (
    <form onSubmit={submit} noValidate class="card stack" id="room-code-form" aria-labelledby="room-code-title">
      <h2 id="room-code-title">{t("room.title")}</h2>
      <p>{t("room.lead")}</p>
      <div>
        <label for="room-code">{t("room.label", { room })}</label>
        <CodeField id="room-code" code={code} length={ROOM_CODE_LENGTH} change={change} bad={text !== null} />
        <p class="quiet" id="room-code-help">{t("room.help")}</p>
      </div>
      <p class={text ? "trouble" : ""} role="alert" tabIndex={-1} ref={error}>{text}</p>
      {opening.stretching !== null && <progress max={1} value={opening.stretching} aria-label={t("room.busy")} />}
      <button type="submit" class="primary big" disabled={opening.stretching !== null || left > 0}>{opening.stretching !== null ? t("room.busy") : t("room.button")}</button>
    </form>
  );
}

/** Seconds of the pause after many wrong codes, counted down. */
function useLeft(opening: Opening): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const look = () => setLeft(Math.ceil(opening.pauseLeft / 1000));
    look();
    const timer = setInterval(look, 500);
    return () => clearInterval(timer);
  }, [opening, opening.stretching]);
  return left;
}

function troubleText(opening: Opening, room: string, left: number): string | null {
  if (left > 0) return t("room.pause", { n: left });
  switch (opening.codeTrouble) {
    case "fits-not": return t("room.slip");
    case "opens-not": return t("room.wrong", { room });
    default: return null;
  }
}
