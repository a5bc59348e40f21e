/** The trial's questions, of our own and in no test. */

import type { Item, Language } from "./protocol";

interface Words { count: string; alt: string; options: string[]; many: string; animals: string[]; number: string; unit: string }

const WORDS: Record<Language, Words> = {
  kk: {
    count: "Суретте неше дөңгелек бар?", alt: "Үш дөңгелек пен екі төртбұрыш", options: ["Екі", "Үш", "Төрт", "Бес"],
    many: "Үй жануарларының бәрін таңда.", animals: ["Қой", "Қасқыр", "Сиыр", "Жылқы"],
    number: "Асан 2,5 км, сосын тағы 1 км жүрді. Барлығы неше километр жүрді?", unit: "км",
  },
  ru: {
    count: "Сколько кругов на картинке?", alt: "Три круга и два прямоугольника", options: ["Два", "Три", "Четыре", "Пять"],
    many: "Выбери всех домашних животных.", animals: ["Овца", "Волк", "Корова", "Лошадь"],
    number: "Асан прошёл 2,5 км, а потом ещё 1 км. Сколько километров он прошёл всего?", unit: "км",
  },
  en: {
    count: "How many circles are there in the picture?", alt: "Three circles and two rectangles", options: ["Two", "Three", "Four", "Five"],
    many: "Choose all the animals that live on a farm.", animals: ["Sheep", "Wolf", "Cow", "Horse"],
    number: "Asan walked 2.5 km, and then 1 km more. How many kilometres did he walk in all?", unit: "km",
  },
};

export function practiceItems(language: Language): Item[] {
  const words = WORDS[language];
  const options = (texts: string[]) => texts.map((text, i) => ({ id: i + 1, text }));
  const picture = document.createElement("img");
  picture.dataset["media"] = "balls";
  picture.alt = words.alt;
  return [
    { id: 1, kind: "single", stimulus: picture.outerHTML, prompt: words.count, options: options(words.options) },
    { id: 2, kind: "multiple", prompt: words.many, options: options(words.animals) },
    { id: 3, kind: "numeric", prompt: words.number, unit: words.unit },
  ];
}
