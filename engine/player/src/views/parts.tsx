/** Small pieces that several pages share: frame, dialog, icons, languages, whom to call. */

import { createContext, type ComponentChildren } from "preact";
import { useContext, useLayoutEffect, useRef } from "preact/hooks";
import type { App } from "../app";
import doneArt from "../art/done.svg";
import ornament from "../art/ornament.svg";
import steppe from "../art/steppe.svg";
import { t } from "../i18n";
import { LANGUAGES, type Help, type Language } from "../protocol";

export const LANGUAGE_NAMES: Record<Language, string> = { kk: "Қазақша", ru: "Русский", en: "English" };

/** A page outside the test: picture, ornament, one column. Focus goes to its heading when it opens. */
export function Page({ title, art, children }: { title: string; art?: "steppe" | "done"; children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  // As it is drawn: an effect comes later, on a slow phone when the child types already, and takes the keys away.
  useLayoutEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <main class="page">
      {art && <img class="art" src={art === "done" ? doneArt : steppe} alt="" width="720" height="250" />}
      <div class="column">
        {art && <img class="ornament" src={ornament} alt="" width="96" height="28" />}
        <h1 tabIndex={-1} ref={heading}>{title}</h1>
        {children}
      </div>
    </main>
  );
}

const ICONS = {
  back: "M15 6l-6 6 6 6", next: "M9 6l6 6-6 6", close: "M6 6l12 12M18 6L6 18",
  mark: "M7 4h10v16l-5-4-5 4z", menu: "M4 7h16M4 12h16M4 17h16", grid: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h6v6h-6z",
  device: "M8 3h8a1 1 0 011 1v16a1 1 0 01-1 1H8a1 1 0 01-1-1V4a1 1 0 011-1zM11 18h2",
  server: "M7 18a4.5 4.5 0 01-.5-9 6 6 0 0111.3 1.5A3.8 3.8 0 0117.5 18zM9.5 13l2 2 3.5-3.5",
  durable: "M12 3l7 3v6c0 4.5-3 7.5-7 9-4-1.5-7-4.5-7-9V6zM8.5 12l2.5 2.5 4.5-5",
  memory: "M12 4l9 16H3zM12 10v4M12 17v.5",
  flag: "M5 21V4h12l-2 4 2 4H5", sound: "M4 10v4h4l5 4V6L8 10zM16.5 9a4 4 0 010 6M19 6.5a8 8 0 010 11",
  stop: "M7 7h10v10H7z", check: "M5 13l4 4L19 7", eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM12 9a3 3 0 100 6 3 3 0 000-6z",
  camera: "M4 7h3l2-3h6l2 3h3a1 1 0 011 1v11a1 1 0 01-1 1H4a1 1 0 01-1-1V8a1 1 0 011-1zM12 9.5a3.5 3.5 0 100 7 3.5 3.5 0 000-7z",
  camera_off: "M9 4h6l2 3h3a1 1 0 011 1v10.5M18 20H4a1 1 0 01-1-1V8a1 1 0 011-1h2M14.5 15.5a3.5 3.5 0 01-5-5M4 3l17 18",
  clock: "M12 3a9 9 0 100 18 9 9 0 000-18zM12 7v5l3 2", note: "M12 3a9 9 0 100 18 9 9 0 000-18zM12 11v5M12 8v.3", zoom: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
} as const;
export type IconName = keyof typeof ICONS;

export function Icon({ name, filled = false }: { name: IconName; filled?: boolean }) {
  return (
    <svg class={filled ? "icon filled" : "icon"} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={ICONS[name]} />
    </svg>
  );
}

/** What is read as long as it holds, whatever lies open: nothing of the page is above a modal dialog but what is in it. */
export const Above = createContext<ComponentChildren>(null);

/** Modal where the browser can; where it has no `<dialog>` (Safari 14), a covering box with the same roles. */
export function Dialog({ title, close, children, wide = false }: { title: string; close: () => void; children: ComponentChildren; wide?: boolean }) {
  const box = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const above = useContext(Above);
  useLayoutEffect(() => {
    const dialog = box.current;
    if (!dialog) return;
    const before = document.activeElement;
    if (typeof dialog.showModal === "function") {
      if (!dialog.open) dialog.showModal();
    } else {
      dialog.setAttribute("open", "");
      dialog.classList.add("plain");
    }
    heading.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  };
  const cancel = (event: Event) => { event.preventDefault(); close(); };
  return (
    <dialog ref={box} class={`${wide ? "wide" : ""} ${above ? "under" : ""}`} role="dialog" aria-modal="true" aria-label={title} onKeyDown={onKeyDown} onCancel={cancel}
      onClick={(event) => { if (event.target === box.current) close(); }}>
      {above && <div class="live-bar on" role="status">{above}</div>}
      <div class="sheet">
        <header>
          <h2 tabIndex={-1} ref={heading}>{title}</h2>
          <button type="button" class="bare" aria-label={t("close")} onClick={close}><Icon name="close" /></button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

export function Languages({ app, offered = LANGUAGES }: { app: App; offered?: readonly Language[] }) {
  return (
    <div class="languages" role="group" aria-label={t("language.label")}>
      {offered.map((language) => (
        <button type="button" lang={language} aria-pressed={language === app.settings.language} onClick={() => void app.speak(language)}>
          {LANGUAGE_NAMES[language]}
        </button>
      ))}
    </div>
  );
}

export function WhomToCall({ help }: { help: Help | null | undefined }) {
  if (!help?.phone) return null;
  return (
    <p class="help">
      <a href={`tel:${help.phone.replace(/[^+\d]/g, "")}`}>{t("help.call", { name: help.name, phone: help.phone })}</a>
    </p>
  );
}
