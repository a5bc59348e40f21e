/** What the device check finds. Nothing here stops anybody. */

import { decimal, type Key } from "./i18n";

export type Level = "fine" | "note" | "warn";
export interface Finding { level: Level; key: Key; values?: Record<string, string | number> }

interface Battery { level: number; charging: boolean }
/** Private windows give little storage and forget it; ordinary ones give far more. */
const PRIVATE_QUOTA_BYTES = 130_000_000;
const LOW_SPACE_BYTES = 25_000_000;

export async function storageFinding(): Promise<Finding[]> {
  const out: Finding[] = [];
  const persistent = await persist();
  const estimate = await navigator.storage?.estimate?.().catch(() => undefined);
  const quota = estimate?.quota ?? Infinity;
  if (quota < PRIVATE_QUOTA_BYTES && !persistent) out.push({ level: "warn", key: "check.storage_bad" });
  else out.push(persistent ? { level: "fine", key: "check.storage_fine" } : { level: "note", key: "check.storage_note" });
  const free = quota - (estimate?.usage ?? 0);
  if (free < LOW_SPACE_BYTES) out.push({ level: "warn", key: "check.space_bad" });
  return out;
}

async function persist(): Promise<boolean> {
  try {
    return (await navigator.storage?.persisted?.()) || (await navigator.storage?.persist?.()) || false;
  } catch {
    return false;
  }
}

export async function batteryFinding(): Promise<Finding | null> {
  const nav = navigator as Navigator & { getBattery?: () => Promise<Battery> };
  const battery = await nav.getBattery?.().catch(() => undefined);
  if (!battery) return null;
  const n = Math.round(battery.level * 100);
  const low = battery.level < 0.2 && !battery.charging;
  return low ? { level: "warn", key: "check.battery_low", values: { n } } : { level: "fine", key: "check.battery_fine", values: { n } };
}

export function browserFindings(): Finding[] {
  const out: Finding[] = [];
  if (/FBAN|FBAV|Instagram|WhatsApp|Telegram|TikTok|musical_ly|; wv\)/.test(navigator.userAgent)) out.push({ level: "warn", key: "check.inapp" });
  if (!isSecureContext) out.push({ level: "note", key: "check.insecure" });
  return out;
}

export function clockFinding(off_ms: number): Finding {
  return Math.abs(off_ms) < 30_000 ? { level: "fine", key: "check.clock_fine" } : { level: "note", key: "check.clock_off" };
}

export function lineFinding(roundTrip_ms: number | null): Finding {
  if (roundTrip_ms === null || !Number.isFinite(roundTrip_ms)) return { level: "note", key: "check.line_none" };
  return roundTrip_ms < 700 ? { level: "fine", key: "check.line_fine" } : { level: "note", key: "check.line_slow" };
}

export function sizeFinding(bytes: number): Finding {
  // Saves and their answers add about a quarter of a megabyte in an hour.
  return { level: "fine", key: "check.size", values: { mb: decimal(Math.max(0.1, (bytes + 250_000) / 1e6)) } };
}

/** At most 64 characters, for the proctor's eyes. */
export function agent(): string {
  const ua = navigator.userAgent;
  const system = /Android/.test(ua) ? "android" : /iPhone|iPad/.test(ua) ? "ios" : /Windows/.test(ua) ? "windows" : /Mac OS/.test(ua) ? "macos" : "other";
  const browser = /(Firefox|Edg|OPR|YaBrowser|SamsungBrowser|Chrome|Version)\/(\d+)/.exec(ua);
  const name = browser?.[1] === "Version" ? "safari" : browser?.[1]?.toLowerCase() ?? "browser";
  return `${system}/${name} ${browser?.[2] ?? ""}`.trim().slice(0, 64);
}
