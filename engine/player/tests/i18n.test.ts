import { expect, test } from "vitest";
import { clockTime, moment, speak, t, timeLeft, when } from "../src/i18n";
import en from "../src/i18n/en.json";
import kk from "../src/i18n/kk.json";
import ru from "../src/i18n/ru.json";

const holes = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole).sort();

test("each sentence exists in three languages with the same places to fill", () => {
  for (const other of [ru, en]) {
    expect(Object.keys(other).sort()).toEqual(Object.keys(kk).sort());
    for (const [key, text] of Object.entries(kk)) expect([key, holes(other[key as keyof typeof kk])]).toEqual([key, holes(text)]);
  }
});

// Two offices, two words (decision 0069): the room supervisor is there in the room, the proctor looks through the camera.
test("who looks through the camera is the proctor, who is in the room the supervisor, and what either sends names neither", () => {
  const proctor = /проктор|proctor/i;
  const room = /кезекші|дежурн|supervisor/i;
  for (const texts of [kk, ru, en]) {
    for (const [key, text] of Object.entries(texts)) {
      expect([key, text]).not.toEqual([key, expect.stringMatching(/бақылаушы|наблюдател|observer|invigilator/i)]);
      const watched = key.startsWith("watch.");
      expect([key, text]).not.toEqual([key, expect.stringMatching(watched ? room : proctor)]);
    }
    for (const key of ["watch.who", "watch.watched", "watch.live", "watch.live_may"] as const) expect(texts[key]).toMatch(proctor);
    for (const key of ["pause.lead", "news.message"] as const) expect(texts[key]).not.toMatch(room);
  }
});

test("times are Astana's, whatever the phone's zone", async () => {
  globalThis.document = { documentElement: {} } as Document;
  await speak("kk");
  const at = Date.UTC(2026, 10, 23, 9, 0);
  expect(clockTime(at)).toBe("14:00");
  expect(when(at)).toBe("23 қараша 2026, 14:00 (Астана уақыты)");
  expect(moment(at, Date.UTC(2026, 10, 22, 19, 0))).toBe("14:00");
  expect(moment(at, Date.UTC(2026, 10, 22, 18, 59))).toBe("23 қараша 2026, 14:00 (Астана уақыты)");
  expect(t("time.minutes", { n: 5 })).toBe("5 мин");
});

test("seconds are shown only in the last two minutes", () => {
  expect(timeLeft(60 * 60_000)).toBe("60 мин");
  expect(timeLeft(120_001)).toBe("3 мин");
  expect(timeLeft(120_000)).toBe("2:00");
  expect(timeLeft(9_000)).toBe("0:09");
  expect(timeLeft(0)).toBe("0:00");
});
