/** Turns looks («nobody there», «two there») into stretches worth an event: begun, lasted so long, over. Pure. */

/** One look may be wrong: a stretch is two looks at the least and as long as this. */
const SHORTEST_MS = 8_000;
/** A long one is told of while it lasts. */
const LONGEST_MS = 60_000;

export interface Stretch { kind: string; at: number; ms: number }

export class Spans {
  private readonly begun = new Map<string, { at: number; looks: number }>();

  /** What holds at `at`; returns the stretches that are over, or long enough to be told. */
  see(kinds: readonly string[], at: number): Stretch[] {
    const over: Stretch[] = [];
    for (const [kind, { at: since, looks }] of this.begun) {
      const ms = at - since;
      const lasts = kinds.includes(kind);
      if (lasts && ms < LONGEST_MS) continue;
      if (ms >= SHORTEST_MS && looks >= 2) over.push({ kind, at: since, ms });
      this.begun.delete(kind);
    }
    for (const kind of kinds) {
      const span = this.begun.get(kind);
      if (span) span.looks += 1;
      else this.begun.set(kind, { at, looks: 1 });
    }
    return over;
  }

  /** The page is hidden or the camera off: nothing is known of this time, so nothing is told of it. */
  forget(): void {
    this.begun.clear();
  }
}
