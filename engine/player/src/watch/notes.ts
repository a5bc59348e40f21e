/** What the page itself can tell: it was left, something was copied, a second display is there. Nothing is prevented. */

export type Facts = Record<string, string | number | boolean>;
export type Note = (kind: string, facts?: Facts) => void;

interface ManyScreens { isExtended?: boolean; addEventListener?: (name: "change", heard: () => void) => void; removeEventListener?: (name: "change", heard: () => void) => void }

/** Listens until the returned function is called. */
export function listen(note: Note, seen: (visible: boolean) => void): () => void {
  const off: (() => void)[] = [];
  const on = (target: EventTarget, name: string, heard: () => void) => {
    target.addEventListener(name, heard);
    off.push(() => target.removeEventListener(name, heard));
  };
  let left: number | null = null;
  const visibility = () => {
    if (document.visibilityState === "hidden" && left === null) {
      left = performance.now();
      note("tab-left");
    } else if (document.visibilityState === "visible" && left !== null) {
      note("tab-back", { ms: Math.round(performance.now() - left) });
      left = null;
    }
    seen(document.visibilityState === "visible");
  };
  on(document, "visibilitychange", visibility);
  on(document, "copy", () => note("copy", { chars: String(getSelection() ?? "").length }));
  on(document, "paste", () => note("paste"));
  // Only where somebody had turned it on: nobody is made to.
  on(document, "fullscreenchange", () => { if (!document.fullscreenElement) note("full-screen-left"); });
  const screens = window.screen as unknown as ManyScreens;
  let several = false;
  const look = () => {
    if (screens.isExtended && !several) note("second-display");
    several = screens.isExtended ?? false;
  };
  look();
  screens.addEventListener?.("change", look);
  off.push(() => screens.removeEventListener?.("change", look));
  return () => off.forEach((one) => one());
}
