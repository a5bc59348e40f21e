/** Messages and orders of the staff: each has a version and an absolute value, so that hearing one twice changes nothing. */

import type { Control, ControlBody, Controls, SignInReply, Texts } from "./protocol";
import type { AttemptRecord } from "./store";

/** The newest of each kind; errata are kept for each item and messages each, for all of them stay readable. */
export function applyControls(known: readonly Control[], version: number, news: Controls): { controls: Control[]; fresh: Control[]; version: number } {
  const fresh = news.items.filter((one) => one.version > version).sort((a, b) => a.version - b.version);
  const controls = new Map(known.map((one) => [slot(one), one]));
  for (const one of fresh) {
    // What was ordered before a restart was ordered for the stopped form.
    if (one.kind === "restart") controls.clear();
    controls.set(slot(one), one);
  }
  return { controls: [...controls.values()], fresh, version: Math.max(version, ...fresh.map((one) => one.version), news.version) };
}

function slot({ kind, version, body }: Control): string {
  if (kind === "message") return `message ${version}`;
  return kind === "erratum" ? `erratum ${body.item}` : kind;
}

function newest(controls: readonly Control[], kind: string): Control | undefined {
  return controls.filter((one) => one.kind === kind).sort((a, b) => b.version - a.version)[0];
}

/** Since when the clock stands still, null while it runs. */
export function pausedSince(controls: readonly Control[]): number | null {
  const pause = newest(controls, "pause");
  const resume = newest(controls, "resume");
  if (!pause || (resume && resume.version > pause.version)) return null;
  return pause.body.since_ms ?? 0;
}

/** Time given back after an outage: to the clock, and to who could not come in. */
export function creditOf(controls: readonly Control[]): { credit_s: number; entry_s: number } {
  const { credit_s = 0, entry_s = 0 } = newest(controls, "credit")?.body ?? {};
  return { credit_s, entry_s };
}

/** The end of an attempt that starts at `started_ms`, as the engine counts it (docs/protocol.md, «Time»). */
export function deadlineOf({ sitting }: SignInReply, controls: readonly Control[], started_ms: number): number {
  const plain_ms = sitting.ends_ms ?? started_ms + 1000 * sitting.duration_s;
  const paused_s = newest(controls, "resume")?.body.paused_s ?? 0;
  return plain_ms + 1000 * (sitting.extra_s + paused_s + creditOf(controls).credit_s);
}

/** Which form is sat: 0 the sitting's own, 1 its reserve after a restart. */
export function legOf(controls: readonly Control[]): number {
  return newest(controls, "restart") ? 1 : 0;
}

/** The time at which staff ends the attempt, null when they did not, or took it back. */
export function endsAt(controls: readonly Control[]): number | null {
  const end = newest(controls, "end");
  const reopen = newest(controls, "reopen");
  if (!end || (reopen && reopen.version > end.version)) return null;
  return end.body.at_ms ?? 0;
}

/** Whether staff stopped the sitting and it has not gone on yet. */
export function isStopped(controls: readonly Control[]): boolean {
  const stop = newest(controls, "stop");
  const reopen = newest(controls, "reopen");
  return stop !== undefined && !(reopen && reopen.version > stop.version);
}

/** The sign-in's facts as they are after a restart: another form, another T0. */
export function restarted(before: SignInReply, { starts_ms, last_entry_ms, manifest }: ControlBody): SignInReply {
  if (starts_ms === undefined || last_entry_ms === undefined || manifest === undefined) throw new Error("restart: needs starts_ms, last_entry_ms, manifest");
  const { sitting, exam_room: room } = before;
  const moved_ms = starts_ms - sitting.starts_ms;
  return {
    ...before, ...(room ? { exam_room: { ...room, blob: room.reserve, reserve: "" } } : {}), manifest, reserve: "", started_ms: null, deadline_ms: null,
    sitting: {
      ...sitting, starts_ms, last_entry_ms, waiting_opens_ms: sitting.waiting_opens_ms + moved_ms,
      ends_ms: sitting.ends_ms === null ? null : sitting.ends_ms + moved_ms,
    },
  };
}

/** What an attempt's record begins anew with on another form. `last`: the log's newest event, which was the old form's. */
export function otherForm(last: number): Pick<AttemptRecord, "step" | "share" | "keys" | "seed" | "started_ms" | "deadline_ms" | "merged" | "stopped_at"> {
  return { step: "waiting", share: Math.random(), keys: null, seed: null, started_ms: null, deadline_ms: null, merged: null, stopped_at: last };
}

export function errata(controls: readonly Control[]): Map<number, Texts> {
  const out = new Map<number, Texts>();
  for (const { kind, body } of controls) if (kind === "erratum" && body.item !== undefined && body.text) out.set(body.item, body.text);
  return out;
}

export function messages(controls: readonly Control[]): { version: number; text: Texts }[] {
  return controls.filter((one) => one.kind === "message" && one.body.text)
    .map((one) => ({ version: one.version, text: one.body.text ?? {} }));
}
