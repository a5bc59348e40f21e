/** The screen stays lit during the test; the browser drops the lock with each hiding of the page, so it is taken anew. */

let wanted = false;

export function holdWake(): void {
  if (wanted) return;
  wanted = true;
  document.addEventListener("visibilitychange", () => void take());
  void take();
}

async function take(): Promise<void> {
  if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
  await navigator.wakeLock.request("screen").catch(() => undefined);
}
