/** Texts as whole sentences in three languages. The catalogue in use is in memory, so that switching needs no network. */

import type kk from "./i18n/kk.json";
import { LANGUAGES, type Language, type Texts } from "./protocol";

export type Key = keyof typeof kk;
type Catalogue = Record<Key, string>;

const loaders: Record<Language, () => Promise<{ default: Catalogue }>> = {
  kk: () => import("./i18n/kk.json"),
  ru: () => import("./i18n/ru.json"),
  en: () => import("./i18n/en.json"),
};
const catalogues: Partial<Record<Language, Catalogue>> = {};
let current: Language = "kk";

export async function speak(language: Language): Promise<void> {
  catalogues[language] ??= (await loaders[language]()).default;
  current = language;
  document.documentElement.lang = language;
}

/** The others too, when there is leisure: later there may be no network. */
export async function learnAll(): Promise<void> {
  for (const language of LANGUAGES) catalogues[language] ??= (await loaders[language]()).default;
}

/** Whether its texts are here yet. */
export function speaks(): boolean {
  return catalogues[current] !== undefined;
}

export function t(key: Key, values: Record<string, string | number> = {}): string {
  const sentence = catalogues[current]?.[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** A text that came in several languages, in this one if it has it. */
export function pick(texts: Texts): string {
  return texts[current] ?? LANGUAGES.map((language) => texts[language]).find(Boolean) ?? "";
}

/** One digit after the sign that this language uses. */
export function decimal(value: number): string {
  return current === "en" ? value.toFixed(1) : value.toFixed(1).replace(".", ",");
}

const ASTANA_MS = 5 * 3_600_000;

/** The country's time, not the phone's: the tables of zones in old phones are older than the law of 2024. */
export function when(ms: number): string {
  const date = new Date(ms + ASTANA_MS);
  const month = t("months").split(",")[date.getUTCMonth()] ?? "";
  return t("when", { day: date.getUTCDate(), month, year: date.getUTCFullYear(), time: clockTime(ms) });
}

export function clockTime(ms: number): string {
  return new Date(ms + ASTANA_MS).toISOString().slice(11, 16);
}

/** The time alone while it is today there; with its date when it is not. */
export function moment(ms: number, now_ms: number): string {
  const day = (at: number) => Math.floor((at + ASTANA_MS) / 86_400_000);
  return day(ms) === day(now_ms) ? clockTime(ms) : when(ms);
}

/** Minutes, rounded up; seconds only in the last two. */
export function timeLeft(left_ms: number): string {
  const s = Math.ceil(left_ms / 1000);
  if (s > 120) return t("time.minutes", { n: Math.ceil(s / 60) });
  return t("time.clock", { m: Math.floor(s / 60), s: String(s % 60).padStart(2, "0") });
}

/** For long waits: days, hours and minutes, minutes, in the last two minutes seconds. */
export function waitLeft(left_ms: number): string {
  const s = Math.ceil(left_ms / 1000);
  if (s <= 120) return t("wait.seconds", { n: s });
  const minutes = Math.ceil(s / 60);
  if (minutes < 120) return t("wait.minutes", { n: minutes });
  if (minutes < 48 * 60) return t("wait.hours", { h: Math.floor(minutes / 60), m: minutes % 60 });
  return t("wait.days", { n: Math.floor(minutes / 1440) });
}
