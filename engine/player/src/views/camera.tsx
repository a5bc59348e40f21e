/** Where the camera shows itself: a card before the test, a small calm sign during it. Nothing where there is none. */

import type { ComponentChildren } from "preact";
import { useContext } from "preact/hooks";
import type { App } from "../app";
import { t } from "../i18n";
import { Above, Dialog, Icon } from "./parts";

export function CameraSection({ app }: { app: App }) {
  const { watching } = app;
  return watching ? <watching.Card watching={watching} /> : null;
}

export function CameraSign({ app, open }: { app: App; open: () => void }) {
  const { watching } = app;
  if (!watching) return null;
  const on = watching.on;
  return (
    <button type="button" class={on ? "bare camera-sign on" : "bare camera-sign"} aria-haspopup="dialog" aria-label={t(on ? "watch.sign_on" : "watch.sign_off")} onClick={open}>
      <Icon name={on ? "camera" : "camera_off"} />
    </button>
  );
}

export function CameraDialog({ app, close }: { app: App; close: () => void }) {
  const { watching } = app;
  if (!watching) return null;
  const { keep_days } = watching.watch;
  return (
    <Dialog title={t("watch.title")} close={close}>
      {watching.on && <p class="quiet">{t("watch.kept", { n: watching.waiting, days: keep_days })}</p>}
      <watching.Card watching={watching} heading={false} />
    </Dialog>
  );
}

/** Stands for as long as a person looks at the camera's picture, and before it begins. */
export function LiveBar() {
  const words = useContext(Above);
  return <div class={words ? "live-bar on" : "live-bar"} role="status" id="live-bar">{words}</div>;
}

/** Of a child that is looked at live: read on the page and in each dialog over it (SAFETY R4). */
export function liveWords(app: App): ComponentChildren {
  return app.watching?.lookedAt ? <p><Icon name="eye" /><span>{t("watch.live")}</span></p> : null;
}

/** One calm line, when there is something to say. */
export function cameraLine(app: App): string | null {
  const { watching } = app;
  if (!watching) return null;
  // Who came in late, or passed the question by: asked once he has begun, his clock does not stop for it.
  if (watching.choice === null) return (app.attempt?.paper.answers.size ?? 0) > 0 ? t("watch.ask") : null;
  if (watching.choice === "withdrawn") return t("watch.withdrawn");
  if (watching.watched) return t("watch.watched");
  if (watching.on && watching.dark) return t("watch.dark");
  return null;
}
