/**
 * Pictures and events until the ingest has stored them: a database of their own, so that an answer never waits behind a
 * picture, and the log's database stays as it is. All of an attempt's goes with its receipt, or when its owner leaves.
 */

export type PictureKind = "snapshot" | "identity" | "screen";
export interface Picture { attempt: number; n: number; at: number; kind: PictureKind; type: string; body: ArrayBuffer }
export interface WatchEvent { attempt: number; n: number; kind: string; at: number; [fact: string]: string | number | boolean }
interface Counters { attempt: number; picture: number; event: number }

/** Of each attempt: the newest pictures, and events far beyond what an hour brings. */
const MOST_PICTURES = 40;
const MOST_EVENTS = 500;
const STORES = { pictures: ["attempt", "n"], events: ["attempt", "n"], counters: "attempt" } as const;
type Store = keyof typeof STORES;

let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open("elumiti-pictures", 1);
    request.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(STORES)) request.result.createObjectStore(name, { keyPath: typeof keyPath === "string" ? keyPath : [...keyPath] });
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      request.result.onclose = () => { opened = null; };
      resolve(request.result);
    };
    request.onerror = () => reject(request.error ?? new Error("queue: cannot open"));
  }).catch((error: unknown) => { opened = null; throw error; });
  return opened;
}

/** Not «strict» as answers are: a picture lost with the power is no loss to the child. */
async function run<T>(stores: Store[], mode: IDBTransactionMode, work: (of: (name: Store) => IDBObjectStore) => IDBRequest<T> | void): Promise<T> {
  const db = await database();
  return new Promise((resolve, reject) => {
    const tx = db.transaction(stores, mode);
    const request = work((name) => tx.objectStore(name));
    tx.oncomplete = () => resolve((request ? request.result : undefined) as T);
    tx.onerror = tx.onabort = () => reject(tx.error ?? new Error("queue: failed"));
  });
}

const allOf = (attempt: number) => IDBKeyRange.bound([attempt, 0], [attempt, Number.MAX_SAFE_INTEGER]);

export class Queue {
  pictures: Picture[] = [];
  events: WatchEvent[] = [];
  private counters: Counters;

  private constructor(private readonly attempt: number) {
    this.counters = { attempt, picture: 0, event: 0 };
  }

  /** What an earlier run of the page left. Where nothing can be kept, memory must do. */
  static async open(attempt: number): Promise<Queue> {
    const queue = new Queue(attempt);
    try {
      queue.pictures = await run<Picture[]>(["pictures"], "readonly", (of) => of("pictures").getAll(allOf(attempt)));
      queue.events = await run<WatchEvent[]>(["events"], "readonly", (of) => of("events").getAll(allOf(attempt)));
      queue.counters = (await run<Counters | undefined>(["counters"], "readonly", (of) => of("counters").get(attempt))) ?? queue.counters;
    } catch { /* a private window */ }
    return queue;
  }

  async addPicture(picture: Omit<Picture, "attempt" | "n">): Promise<void> {
    const { attempt } = this;
    this.counters.picture += 1;
    this.pictures.push({ ...picture, attempt, n: this.counters.picture });
    // The oldest snapshot goes; the photo of the face stays to the last.
    const over = this.pictures.length > MOST_PICTURES ? this.pictures.find((one) => one.kind !== "identity") : undefined;
    if (over) this.pictures = this.pictures.filter((one) => one !== over);
    await this.write("pictures", this.pictures[this.pictures.length - 1], over);
  }

  async addEvent(kind: string, at: number, facts: Record<string, string | number | boolean>): Promise<void> {
    const { attempt } = this;
    this.counters.event += 1;
    this.events.push({ ...facts, attempt, n: this.counters.event, kind, at });
    const over = this.events.length > MOST_EVENTS ? this.events.shift() : undefined;
    await this.write("events", this.events[this.events.length - 1], over);
  }

  async dropPictures(numbers: readonly number[]): Promise<void> {
    const gone = new Set(numbers);
    this.pictures = this.pictures.filter(({ n }) => !gone.has(n));
    await this.forget("pictures", numbers);
  }

  async dropEvents(numbers: readonly number[]): Promise<void> {
    const gone = new Set(numbers);
    this.events = this.events.filter(({ n }) => !gone.has(n));
    await this.forget("events", numbers);
  }

  private async write(store: "pictures" | "events", put: Picture | WatchEvent | undefined, over: Picture | WatchEvent | undefined): Promise<void> {
    const counters = { ...this.counters };
    await run<IDBValidKey>([store, "counters"], "readwrite", (of) => {
      if (over) of(store).delete([over.attempt, over.n]);
      if (put) of(store).put(put);
      return of("counters").put(counters);
    }).catch(() => undefined);
  }

  private async forget(store: "pictures" | "events", numbers: readonly number[]): Promise<void> {
    if (numbers.length === 0) return;
    await run([store], "readwrite", (of) => { for (const n of numbers) of(store).delete([this.attempt, n]); }).catch(() => undefined);
  }
}

/** No picture and no event of an attempt stays on the phone (SAFETY J7). */
export async function eraseWatch(attempt: number): Promise<void> {
  await run(["pictures", "events", "counters"], "readwrite", (of) => {
    of("pictures").delete(allOf(attempt));
    of("events").delete(allOf(attempt));
    of("counters").delete(attempt);
  }).catch(() => undefined);
}
