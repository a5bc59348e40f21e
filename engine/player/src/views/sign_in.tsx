/** Code and birth day. What is typed stays, whatever goes wrong; a slip of one finger is told before the server is asked. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { App } from "../app";
import { CODE_LENGTH, codeFits } from "../code";
import type { SignInTrouble } from "../entry";
import { pick, t, when } from "../i18n";
import { CodeField } from "./code_field";
import { Languages, Page, WhomToCall } from "./parts";

type Field = "code" | "birth";

export function SignIn({ app }: { app: App }) {
  // Beside the state, since a finger can press the button before the page is drawn anew.
  const typed = useRef({ code: app.code, day: 0, month: 0 });
  const [{ code, day, month }, show] = useState(typed.current);
  const type = (more: Partial<typeof typed.current>) => {
    typed.current = { ...typed.current, ...more };
    show(typed.current);
  };
  const [wrong, setWrong] = useState<{ field: Field; text: string } | null>(null);
  const error = useRef<HTMLParagraphElement>(null);
  useLayoutEffect(() => { if (wrong || app.trouble) error.current?.focus(); }, [wrong, app.trouble]);

  const submit = (event: Event) => {
    event.preventDefault();
    const slip = typed.current;
    const found = slipOf(slip.code, slip.day, slip.month);
    setWrong(found);
    if (!found) void app.signIn(slip.code, slip.day, slip.month);
  };
  const text = wrong?.text ?? (app.trouble ? troubleText(app.trouble) : null);
  const field = wrong?.field ?? (app.trouble?.code === "birth-mismatch" ? "birth" : "code");
  return (
    <Page title={t("signin.title")} art="steppe">
      <Languages app={app} />
      <p>{t("signin.lead")}</p>
      <form onSubmit={submit} noValidate class="stack">
        {text && <p class="trouble" role="alert" tabIndex={-1} ref={error} id="trouble">{text}</p>}
        {text && <WhomToCall help={app.trouble?.help} />}
        <div>
          <label for="code">{t("signin.code")}</label>
          <CodeField id="code" code={code} length={CODE_LENGTH} change={(next) => { type({ code: next }); setWrong(null); }} bad={text !== null && field === "code"} />
          <p class="quiet" id="code-help">{t("signin.code_help")}</p>
        </div>
        <fieldset class="birth">
          <legend>{t("signin.birth")}</legend>
          <label>
            <span>{t("signin.day")}</span>
            <select value={day} aria-invalid={text !== null && field === "birth"} onChange={(event) => type({ day: Number(event.currentTarget.value) })}>
              <option value={0} disabled>–</option>
              {Array.from({ length: 31 }, (_, i) => <option value={i + 1}>{i + 1}</option>)}
            </select>
          </label>
          <label class="grow">
            <span>{t("signin.month")}</span>
            <select value={month} aria-invalid={text !== null && field === "birth"} onChange={(event) => type({ month: Number(event.currentTarget.value) })}>
              <option value={0} disabled>–</option>
              {t("months").split(",").map((name, i) => <option value={i + 1}>{name}</option>)}
            </select>
          </label>
        </fieldset>
        <button type="submit" class="primary big" disabled={app.signingIn}>{app.signingIn ? t("signin.busy") : t("signin.button")}</button>
      </form>
      <button type="button" class="link" id="try-camera" onClick={() => void app.tryCamera().catch(() => undefined)}>{t("trial.link")}</button>
      {app.receipts.length > 0 && (
        <details>
          <summary>{t("signin.receipts")}</summary>
          <ul class="receipts">
            {app.receipts.map((receipt) => (
              <li><strong class="code">{receipt.code}</strong> {pick(receipt.title)}<br /><span class="quiet">{t("receipt.time", { when: when(receipt.at_ms) })}</span></li>
            ))}
          </ul>
        </details>
      )}
    </Page>
  );
}

function slipOf(code: string, day: number, month: number): { field: Field; text: string } | null {
  if (code.length < CODE_LENGTH) return { field: "code", text: t("signin.code_short", { n: CODE_LENGTH - code.length }) };
  if (!codeFits(code)) return { field: "code", text: t("signin.code_slip") };
  return day && month ? null : { field: "birth", text: t("signin.birth_missing") };
}

function troubleText({ code, n, at_ms }: SignInTrouble): string {
  switch (code) {
    case "code-unknown": return t("signin.unknown");
    case "code-malformed": return t("signin.code_slip");
    case "birth-mismatch": return t("signin.birth_wrong", { n });
    case "code-locked": return t("signin.locked");
    case "waiting-not-open": return t("signin.not_open", { when: when(at_ms) });
    case "sitting-over": return t("signin.over");
    case "device-held": return t("signin.held");
    case "slow-down":
    case "try-later": return t("signin.slow", { n: Math.max(1, n) });
    case "no-line": return t("signin.no_line");
    default: return t("signin.refused");
  }
}
