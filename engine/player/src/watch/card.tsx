/** The camera before the test, in plain words: what is taken, who sees it, when it is erased, and that «no» costs nothing. */

import { useEffect, useRef, useState } from "preact/hooks";
import { decimal, t, type Key } from "../i18n";
import { Icon } from "../views/parts";
import type { Trouble } from "./camera";
import type { Watching } from "./watching";

export const TROUBLES: Record<Trouble, Key> = { denied: "watch.denied", none: "watch.none", busy: "watch.busy" };

export function CameraCard({ watching, heading = true }: { watching: Watching; heading?: boolean }) {
  return (
    <section class="card camera" aria-label={t("watch.title")}>
      {heading && <h2>{t("watch.title")}</h2>}
      <Stand watching={watching} />
    </section>
  );
}

function Stand({ watching }: { watching: Watching }) {
  switch (watching.choice) {
    case "withdrawn":
      return <p>{t("watch.withdrawn")}</p>;
    case "no":
      return (
        <>
          <p>{t("watch.no_lead")}</p>
          <button type="button" class="link" onClick={() => void watching.agree()}>{t("watch.change")}</button>
        </>
      );
    case "yes":
      return <Checked watching={watching} />;
    default:
      return (
        <>
          <Promised watching={watching} />
          <button type="button" class="primary" id="camera-yes" onClick={() => void watching.agree()}>{t("watch.yes")}</button>
          <button type="button" class="secondary" id="camera-no" onClick={() => watching.decline()}>{t("watch.no")}</button>
          <p class="quiet">{t("watch.no_cost")}</p>
        </>
      );
  }
}

/** What is taken, how often, who sees it, when it is erased. */
function Promised({ watching }: { watching: Watching }) {
  const { every_s, most_bytes, keep_days, identity } = watching.watch;
  // As its author reads it (portal/features/sittings/watching.py): pictures with their requests, the face checks, the photo.
  const mb = decimal(((3600 / every_s) * (most_bytes + 600) + 290_000 + (identity ? 4 * most_bytes : 0)) / 1e6);
  return (
    <ul class="ticks">
      {identity && <li><Icon name="camera" /><span>{t("watch.identity")}</span></li>}
      <li><Icon name="eye" /><span>{t("watch.what", { n: every_s })}</span></li>
      <li><Icon name="device" /><span>{t("watch.events")}</span></li>
      <li><Icon name="durable" /><span>{t("watch.who")}</span></li>
      <li><Icon name="eye" /><span>{t("watch.live_may")}</span></li>
      <li><Icon name="clock" /><span>{t("watch.erased", { n: keep_days })}</span></li>
      <li><Icon name="server" /><span>{t("watch.data", { mb })}</span></li>
    </ul>
  );
}

function Checked({ watching }: { watching: Watching }) {
  const { trouble, watch, shot } = watching;
  if (watching.opening) return <p role="status">{t("watch.opening")}</p>;
  if (trouble || !watching.camera) {
    return (
      <>
        {trouble && <p class="message" role="status">{t(TROUBLES[trouble])}</p>}
        <button type="button" class="primary" id="camera-again" onClick={() => void watching.open()}>{t("watch.again")}</button>
        <button type="button" class="secondary" id="camera-no" onClick={() => watching.decline()}>{t("watch.no")}</button>
        <p class="quiet">{t("watch.no_cost")}</p>
      </>
    );
  }
  return (
    <>
      {shot ? <Photo watching={watching} /> : <Preview stream={watching.camera.stream} />}
      {watch.identity && !watching.photographed && !shot && (
        <>
          <p>{t("watch.photo_lead")}</p>
          <button type="button" class="primary" id="shoot" onClick={() => void watching.shoot()}>{t("watch.shoot")}</button>
        </>
      )}
      {shot && (
        <>
          <button type="button" class="primary" id="keep-photo" onClick={() => void watching.keepShot()}>{t("watch.keep")}</button>
          <button type="button" class="secondary" id="retake" onClick={() => watching.again()}>{t("watch.retake")}</button>
        </>
      )}
      {!shot && <Ready watching={watching} />}
      {!shot && <button type="button" class="link" onClick={() => watching.decline()}>{t("watch.stop")}</button>}
    </>
  );
}

function Ready({ watching }: { watching: Watching }) {
  const { watch } = watching;
  const done = !watch.identity || watching.photographed;
  return (
    <>
      {!(done && watching.taking) && <p class={done ? "good" : "quiet"} role="status">{done && <Icon name="check" />}<span>{t(done ? "watch.ready" : "watch.see")}</span></p>}
      {watching.offersScreen && !watching.screen && <button type="button" class="secondary" onClick={() => void watching.shareScreen()}>{t("watch.screen")}</button>}
      {watching.screen && <p class="good"><Icon name="check" /><span>{t("watch.screen_on")}</span></p>}
    </>
  );
}

export function Preview({ stream }: { stream: MediaStream }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (!video.current) return;
    video.current.srcObject = stream;
    void video.current.play().catch(() => undefined);
  }, [stream]);
  return <video class="preview" ref={video} muted playsInline aria-label={t("watch.preview")} />;
}

function Photo({ watching }: { watching: Watching }) {
  const [url, setUrl] = useState("");
  useEffect(() => {
    if (!watching.shot) return;
    const made = URL.createObjectURL(new Blob([watching.shot.body], { type: watching.shot.type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [watching.shot]);
  return url ? <img class="preview" src={url} alt={t("watch.photo_alt")} /> : <div class="preview" />;
}
