/**
 * What was tried in vain, and for how long. The server gives that time back where it knows of an outage itself;
 * this device's word alone moves no clock.
 */

import { Refused } from "./api";
import { realHands, type Hands } from "./clock";

export type Step = "page" | "sign-in" | "key" | "resume";
/** Wall time of each first try in vain: outlives a reload of the page. */
export type Kept = Partial<Record<Step, number>>;

/** Shorter than this nobody noticed. */
const LEAST_MS = 1_000;
const MOST_MS = 24 * 3_600_000;

export class Tries {
  private readonly since = new Map<Step, { monotonic: number; wall: number }>();

  constructor(kept: Kept = {}, private readonly hands: Hands = realHands) {
    for (const [step, wall] of Object.entries(kept) as [Step, number][]) {
      this.since.set(step, { monotonic: hands.monotonic() - Math.max(0, hands.wall() - wall), wall });
    }
  }

  /** A try that began at `asked` (monotonic) was in vain; the first one counts. */
  failed(step: Step, asked: number): void {
    if (this.since.has(step)) return;
    this.since.set(step, { monotonic: asked, wall: this.hands.wall() - (this.hands.monotonic() - asked) });
  }

  /** The step works again: for how many milliseconds it did not; null when there was nothing to speak of. */
  settled(step: Step): number | null {
    const first = this.since.get(step);
    this.since.delete(step);
    if (!first) return null;
    // A phone's monotonic clock may have slept; a wall clock set back counts for nothing.
    const for_ms = Math.round(Math.max(this.hands.monotonic() - first.monotonic, this.hands.wall() - first.wall));
    return for_ms < LEAST_MS ? null : Math.min(for_ms, MOST_MS);
  }

  get kept(): Kept {
    return Object.fromEntries([...this.since].map(([step, { wall }]) => [step, wall]));
  }
}

/** No answer, or one that says «later»: the step does not work. Any other answer says that it does. */
export function inVain(error: unknown): boolean {
  return !(error instanceof Refused) || error.problem.status >= 500 || error.problem.status === 429;
}
