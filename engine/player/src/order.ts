/** The order in which this attempt sees items and options: the same on any device, from the attempt's seed alone. */

import type { Item, SectionText } from "./protocol";

export type Random = () => number;

/** sfc32 from 32 hex digits (four big-endian words), its first 12 outputs discarded; whole numbers 0 … 2³² − 1. */
export function sfc32(seed: string): Random {
  if (!/^[0-9a-f]{32}$/i.test(seed)) throw new Error("order: a seed is 32 hex digits");
  let [a, b, c, d] = [0, 8, 16, 24].map((at) => parseInt(seed.slice(at, at + 8), 16) | 0) as [number, number, number, number];
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

/** Fisher–Yates from the end, a new list. */
export function shuffle<T>(things: readonly T[], random: Random): T[] {
  const out = things.slice();
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor((random() / 4294967296) * (i + 1));
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

/** Items that share a group stay together and in order; groups stand in order of first appearance. */
function grouped(items: readonly Item[]): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = item.group == null ? `item ${item.id}` : `group ${item.group}`;
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()];
}

/** All sections in ascending number, each shuffled as docs/protocol.md («Order») says. */
export function drawOrder(sections: readonly SectionText[], seed: string): SectionText[] {
  const random = sfc32(seed);
  return sections.slice().sort((a, b) => a.section - b.section).map((section) => {
    const groups = shuffle(grouped(section.items), random);
    const drawn = new Map<number, Item>();
    for (const item of section.items) {
      const own = { ...item };
      if (!item.fixed_order) {
        if (item.options) own.options = shuffle(item.options, random);
        if (item.gaps) own.gaps = item.gaps.map((gap) => ({ ...gap, options: shuffle(gap.options, random) }));
      }
      drawn.set(item.id, own);
    }
    return { ...section, items: groups.flat().map((item) => drawn.get(item.id) ?? item) };
  });
}
