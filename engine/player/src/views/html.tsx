/** Item text on the page: built once for each text, never as a string of markup. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { build } from "../html";
import { t } from "../i18n";

export interface Zoomed { src: string; alt: string }

interface Props {
  html: string;
  class?: string;
  picture: (id: string) => Promise<string>;
  zoom: (picture: Zoomed) => void;
  gap?: (id: string) => Node;
}

export function Html({ html, class: name, picture, zoom, gap }: Props) {
  const host = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const { current } = host;
    if (!current) return;
    current.textContent = "";
    current.appendChild(build(html, {
      media: (id, alt) => zoomable(id, alt, picture, zoom),
      gap: (id) => gap?.(id) ?? document.createTextNode("…"),
    }));
    current.querySelectorAll("table").forEach(scrollable);
  }, [html]);
  return <div ref={host} class={name} />;
}

/** A picture as a button that opens it large; while the line is gone, a word and a way to try again. */
export function zoomable(id: string, alt: string, picture: Props["picture"], zoom: Props["zoom"]): HTMLElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "zoomable";
  const image = document.createElement("img");
  image.alt = alt;
  button.setAttribute("aria-label", alt ? `${alt}. ${t("q.zoom")}` : t("q.zoom"));
  button.appendChild(image);
  fill(image, button, () => picture(id));
  button.addEventListener("click", () => { if (image.src) zoom({ src: image.src, alt }); });
  return button;
}

export function fill(image: HTMLImageElement, host: HTMLElement, load: () => Promise<string>): void {
  load().then((src) => { image.src = src; }, () => {
    const waits = document.createElement("span");
    waits.className = "waits";
    waits.textContent = t("q.picture_waits");
    const again = document.createElement("button");
    again.type = "button";
    again.className = "link";
    again.textContent = t("q.picture_again");
    waits.appendChild(again);
    host.replaceWith(waits);
    again.addEventListener("click", (event) => {
      event.preventDefault();
      waits.replaceWith(host);
      fill(image, host, load);
    });
  });
}

function scrollable(table: HTMLTableElement): void {
  const box = document.createElement("div");
  box.className = "scrolls";
  box.tabIndex = 0;
  table.replaceWith(box);
  box.appendChild(table);
}
