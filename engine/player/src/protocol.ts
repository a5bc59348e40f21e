/** What travels between this page and the engine. The words are those of docs/protocol.md. */

export type Language = "kk" | "ru" | "en";
export const LANGUAGES: readonly Language[] = ["kk", "ru", "en"];
export type Texts = Partial<Record<Language, string>>;
export type Value = number | string | number[] | Record<string, number> | null;
export type ReportReason = "no-right-answer" | "picture" | "wording" | "other";
export type EventKind =
  | "answer" | "view" | "mark" | "unmark" | "blur" | "focus" | "language"
  | "report" | "start" | "finish" | "control" | "section" | "tried" | "opened";

export interface TriedNote { step: string; for_ms: number; ago_ms: number }
/** The form was opened by a room's code at this server time; `jump_ms` of it come from the phone's clock alone. */
export interface OpenedNote { number: number; leg: number; at_ms: number; jump_ms: number }
export interface StartNote { agent: string; screen: string }
export interface FinishNote { count: number; hash: string }

/** What happened, before it has a number and a time. */
export interface Happening {
  kind: EventKind;
  item?: number;
  value?: Value | StartNote | FinishNote | TriedNote | OpenedNote;
}

/** One line of the log: numbered, dated by the newest signed server time and the milliseconds since. */
export interface LogEvent extends Happening {
  seq: number;
  anchor: string;
  ms: number;
}

export interface WireEvent extends Happening { seq: number; anchor: number; ms: number; again?: true }

export interface Help { name: string; phone: string }

export interface Sitting {
  id: number;
  project: string;
  title: Texts;
  languages: Language[];
  waiting_opens_ms: number;
  starts_ms: number;
  last_entry_ms: number;
  duration_s: number;
  ends_ms: number | null;
  extra_s: number;
  grace_s: number;
  spread_s: number;
  help: Help | null;
}

export interface Control { version: number; kind: string; body: ControlBody }
export interface ControlBody {
  text?: Texts;
  item?: number;
  extra_s?: number;
  since_ms?: number;
  paused_s?: number;
  credit_s?: number;
  entry_s?: number;
  at_ms?: number;
  starts_ms?: number;
  last_entry_ms?: number;
  manifest?: string;
}
export interface Controls { version: number; items: Control[] }

export interface Stamp { now_ms: number; now: string }

export interface SignInBody { code: string; day: number; month: number; device: string; agent: string; phone?: string }
/** The sitting is proctored and a camera consent holds: where pictures go, and what is promised about them. */
export interface Watch {
  url: string;
  token: string;
  every_s: number;
  most_bytes: number;
  identity: boolean;
  screen: boolean;
  keep_days: number;
}

/** A proctor asks to look live: where the picture goes, and a ticket of a minute. Comes with the reply to a picture. */
export interface LiveAsk { url: string; ticket: string }

export interface SignInReply extends Stamp {
  token: string;
  attempt: number;
  first_name: string;
  language: Language;
  superseded: boolean;
  resume: boolean;
  sitting: Sitting;
  manifest: string;
  /** The form on which a stopped sitting goes on; "" when there is none. */
  reserve?: string;
  started_ms: number | null;
  deadline_ms: number | null;
  generation: number;
  next_save_s: number;
  room: number;
  controls: Controls;
  /** X25519 public key, base64url, to which a rescue file is sealed; without it none is offered. */
  rescue_key?: string | null;
  /** Of who sits in a room that has a code. */
  exam_room?: ExamRoom;
  seed?: string;
  watch?: Watch | null;
}

/** Names of the blobs that the room's code opens: of the form that is sat, and of its reserve ("": none). */
export interface ExamRoom { number: number; name: string; blob: string; reserve: string }

export interface KeyReply extends Stamp {
  keys: Record<string, string>;
  seed: string;
  token?: string;
  started_ms: number;
  deadline_ms: number;
  watch?: Watch | null;
}

export interface SaveBody {
  attempt: number;
  clock: string[];
  generation: number;
  controls: number;
  open: string[];
  events: WireEvent[];
}
export type Verdict = "durable" | "wait" | "again";
export interface Final { code: string; at_ms: number; count: number }
export type Range = [number, number];
export interface SaveReply extends Stamp {
  receipt?: string | null;
  open?: Verdict[];
  generation: number;
  next_save_s: number;
  room: number;
  refused?: { seq: number; code: string }[];
  controls?: Controls | null;
  token?: string | null;
  started_ms?: number | null;
  deadline_ms?: number | null;
  superseded?: boolean;
  missing?: Range[];
  final?: Final | null;
}

export interface ResumeReply extends Stamp {
  complete: boolean;
  answers: Record<string, { value: Value; seq: number }>;
  marked: number[];
  place: number | null;
  language: Language | null;
  started_ms: number | null;
  deadline_ms: number | null;
  token?: string | null;
  final: Final | null;
}
export interface HaveReply { generation: number; have: Range[] }

export interface BundleFile {
  id: string;
  name: string;
  size: number;
  section: number;
  language: Language | "*";
  kind: "text" | "media";
}
export interface Manifest { version: number; form: number; languages: Language[]; sections: number[]; files: BundleFile[] }

export interface Option { id: number; text: string | null; picture?: string; alt?: string }
export interface Gap { id: string; options: Option[] }
export type ItemKind = "single" | "multiple" | "picture" | "dropdown" | "numeric" | "short_text";
export interface Item {
  id: number;
  kind: ItemKind;
  group?: number | null;
  stimulus?: string | null;
  prompt: string;
  fixed_order?: boolean;
  options?: Option[];
  gaps?: Gap[];
  unit?: string | null;
}
export interface SectionText { section: number; language: Language; title: string; items: Item[] }

export interface Problem { status: number; code: string; title?: string; detail?: string; [field: string]: unknown }
