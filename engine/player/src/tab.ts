/**
 * One tab writes. Who came first holds a Web Lock, or where there is none a lease in localStorage;
 * either tells only that someone is there. What really keeps a second tab from writing is the log's `writer` (log.ts).
 */

import { randomBytes } from "./crypto";
import { hex } from "./finish";

export const TAB = hex(randomBytes(8));
const LEASE_MS = 6_000;
/** A page that is just being reloaded gives its lock back within this time. */
const PATIENCE_MS = 2_000;

export interface Hold { release(): void }

/** Resolves with a hold, or null when another tab has it. `lost` is called when another tab takes over. */
export async function hold(device: string, how: "ask" | "take", lost: () => void): Promise<Hold | null> {
  return navigator.locks ? holdLock(device, how, lost) : holdLease(device, how, lost);
}

function holdLock(device: string, how: "ask" | "take", lost: () => void): Promise<Hold | null> {
  return new Promise((resolve) => {
    let release: () => void = () => undefined;
    let got = false;
    const kept = () => {
      got = true;
      return new Promise<void>((free) => {
        release = free;
        resolve({ release });
      });
    };
    const name = `elumiti-${device}`;
    const patience = new AbortController();
    // A busy phone may answer late: given up is only what somebody really has.
    const look = async () => {
      const { held = [] } = await navigator.locks.query().catch(() => ({ held: [{ name }] }));
      if (held.some((one) => one.name === name)) patience.abort();
      else if (!got) setTimeout(look, PATIENCE_MS);
    };
    if (how === "ask") setTimeout(look, PATIENCE_MS);
    const options: LockOptions = how === "take" ? { steal: true } : { signal: patience.signal };
    navigator.locks.request(name, options, kept).catch(() => {
      if (got) lost();
      else resolve(null);
    });
  });
}

async function holdLease(device: string, how: "ask" | "take", lost: () => void): Promise<Hold | null> {
  const name = `elumiti-tab-${device}`;
  const beat = () => localStorage.setItem(name, `${TAB} ${Date.now()}`);
  try {
    const [tab, at] = (localStorage.getItem(name) ?? "").split(" ");
    if (how === "ask" && tab && tab !== TAB && Math.abs(Date.now() - Number(at)) < LEASE_MS) return null;
    beat();
  } catch {
    return { release: () => undefined };
  }
  const timer = setInterval(() => {
    if (localStorage.getItem(name)?.startsWith(TAB)) beat();
    else {
      clearInterval(timer);
      lost();
    }
  }, LEASE_MS / 3);
  const release = () => {
    clearInterval(timer);
    localStorage.removeItem(name);
  };
  addEventListener("pagehide", release);
  return { release };
}
