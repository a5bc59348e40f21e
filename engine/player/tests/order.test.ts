import { writeFileSync, existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { drawOrder, sfc32, shuffle } from "../src/order";
import type { Item, SectionText } from "../src/protocol";

const SEEDS = ["00000000000000000000000000000000", "000102030405060708090a0b0c0d0e0f", "8a3f00c4d21be97710ffeeddccbbaa99", "ffffffffffffffffffffffffffffffff"];
const VECTORS = new URL("../vectors/order.json", import.meta.url);

const item = (id: number, more: Partial<Item> = {}): Item => ({ id, kind: "single", prompt: "", options: [1, 2, 3, 4].map((n) => ({ id: id * 10 + n, text: "" })), ...more });
const SECTIONS: SectionText[] = [
  { section: 2, language: "kk", title: "", items: [item(21), item(22, { fixed_order: true }), item(23, { kind: "numeric", options: [] })] },
  {
    section: 1, language: "kk", title: "",
    items: [
      item(11, { group: 5 }), item(12), item(13, { group: 5 }), item(14),
      { id: 15, kind: "dropdown", prompt: "", gaps: ["g1", "g2"].map((id, n) => ({ id, options: [1, 2, 3].map((k) => ({ id: 150 + n * 10 + k, text: "" })) })) },
    ],
  },
];

function drawn(seed: string) {
  return drawOrder(SECTIONS, seed).map((section) => ({
    section: section.section,
    items: section.items.map((one) => ({
      id: one.id, options: (one.options ?? []).map((option) => option.id), gaps: (one.gaps ?? []).map((gap) => gap.options.map((option) => option.id)),
    })),
  }));
}

function vectors() {
  return {
    comment: "docs/protocol.md, «Order». first: the eight numbers after the twelve discarded; shuffle: 0 … 9; sections: what drawOrder makes of input.",
    input: SECTIONS,
    seeds: SEEDS.map((seed) => {
      const random = sfc32(seed);
      return { seed, first: Array.from({ length: 8 }, () => random()), shuffle: shuffle([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], sfc32(seed)), sections: drawn(seed) };
    }),
  };
}

test("the order is the one of the fixed vectors, which the server's side tests too", () => {
  if (!existsSync(VECTORS)) writeFileSync(VECTORS, `${JSON.stringify(vectors(), null, 1)}\n`);
  expect(vectors()).toEqual(JSON.parse(readFileSync(VECTORS, "utf8")));
});

test("sections ascend, groups stay together, fixed options stay where they are", () => {
  for (let n = 0; n < 200; n++) {
    const seed = n.toString(16).padStart(32, "3");
    const sections = drawOrder(SECTIONS, seed);
    expect(sections.map((section) => section.section)).toEqual([1, 2]);
    const ids = sections.flatMap((section) => section.items.map((one) => one.id));
    expect([...ids].sort()).toEqual([11, 12, 13, 14, 15, 21, 22, 23]);
    expect(ids.indexOf(13) - ids.indexOf(11)).toBe(1);
    const fixed = sections[1]?.items.find((one) => one.id === 22);
    expect(fixed?.options?.map((option) => option.id)).toEqual([221, 222, 223, 224]);
  }
});

test("the first section's order does not need the others", () => {
  const seed = SEEDS[2] ?? "";
  const alone = drawOrder(SECTIONS.filter((section) => section.section === 1), seed);
  expect(alone[0]).toEqual(drawOrder(SECTIONS, seed)[0]);
});

test("every order of four options comes about equally often", () => {
  const seen = new Map<string, number>();
  for (let n = 0; n < 4800; n++) {
    const order = shuffle([1, 2, 3, 4], sfc32((n * 2654435761 % 4294967296).toString(16).padStart(8, "0").repeat(4))).join("");
    seen.set(order, (seen.get(order) ?? 0) + 1);
  }
  expect(seen.size).toBe(24);
  const chi = [...seen.values()].reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
  expect(chi).toBeLessThan(49.7); // 23 degrees of freedom, p > 0.001
});

test("a seed that is none is refused", () => {
  expect(() => sfc32("xyz")).toThrow();
});
