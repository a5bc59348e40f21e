/** Sets of sequence numbers as sorted closed ranges: small in memory and on disk even for thousands of events. */

import type { Range } from "./protocol";

export function add(set: readonly Range[], from: number, to = from): Range[] {
  const out: Range[] = [];
  let [low, high] = [from, to];
  for (const [a, b] of set) {
    if (b < low - 1 || a > high + 1) out.push([a, b]);
    else [low, high] = [Math.min(low, a), Math.max(high, b)];
  }
  out.push([low, high]);
  return out.sort((x, y) => x[0] - y[0]);
}

export function addAll(set: readonly Range[], seqs: Iterable<number>): Range[] {
  let out = set.slice();
  for (const seq of seqs) out = has(out, seq) ? out : add(out, seq);
  return out;
}

export function has(set: readonly Range[], seq: number): boolean {
  return set.some(([a, b]) => a <= seq && seq <= b);
}

export function remove(set: readonly Range[], from: number, to: number): Range[] {
  const out: Range[] = [];
  for (const [a, b] of set) {
    if (a < from) out.push([a, Math.min(b, from - 1)]);
    if (b > to) out.push([Math.max(a, to + 1), b]);
  }
  return out;
}

/** What stands in both. */
export function common(one: readonly Range[], other: readonly Range[]): Range[] {
  const out: Range[] = [];
  for (const [a, b] of one) {
    for (const [c, d] of other) {
      const low = Math.max(a, c);
      const high = Math.min(b, d);
      if (low <= high) out.push([low, high]);
    }
  }
  return out.sort((x, y) => x[0] - y[0]);
}

export function size(set: readonly Range[]): number {
  return set.reduce((sum, [a, b]) => sum + b - a + 1, 0);
}
