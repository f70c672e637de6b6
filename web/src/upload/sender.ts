import { createUpload, cancelUpload, finishUpload, getUpload, listUploads, writeUpload, type Upload } from '../api';
import { ask, Failure } from '../failure';
import { Sha256 } from './sha256';

export type Kind = Upload['kind'];

// phases of a file: chosen by the reader, waiting for its turn, on its way, waiting for
// the connection, complete and being archived, and the three ends.
export type Phase = 'chosen' | 'queued' | 'sending' | 'offline' | 'archiving' | 'done' | 'failed' | 'cancelled';

export type Item = {
  key: number;
  kind: Kind;
  file: Blob & { name: string; lastModified: number };
  title: string;
  date: string;
  category: string;
  phase: Phase;
  sent: number; // bytes that are durable on the server
  upload?: Upload; // as the server has told last
  error?: unknown;
};

// Server is what sending needs of the interface; tests have their own.
export type Server = {
  list: () => Promise<Upload[]>;
  create: (item: Item) => Promise<Upload>;
  get: (id: string) => Promise<Upload>;
  write: (id: string, offset: number, piece: Blob) => Promise<Upload>;
  finish: (id: string, sha256: string) => Promise<Upload>;
  cancel: (id: string) => Promise<unknown>;
  wait: (milliseconds: number) => Promise<void>; // may end early, when there is a connection again
};

const atATime = 3;
const piece = 2 << 20; // bytes; a broken connection costs at most one
const poll = 700; // milliseconds between questions how far archiving is
const longest = 15_000; // milliseconds between attempts without a connection

// identityOf is by which a file is known again after the page was loaded anew.
export const identityOf = (item: Pick<Item, 'kind' | 'file'>): string =>
  `${item.kind}/${item.file.name}/${item.file.size}/${item.file.lastModified}`.slice(0, 1200);

const temporary = (error: unknown): boolean =>
  error instanceof Failure && ['unreachable', 'busy', 'timeout', 'internal', 'upload-state', 'upload-offset'].includes(error.code);

export const ended = (phase: Phase): boolean => phase === 'done' || phase === 'failed' || phase === 'cancelled';

// Sender sends files, some at a time, and follows them until they are archived.
export class Sender {
  private items: readonly Item[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly server: Server;
  private keys = 0;
  private running = 0;

  private readonly piece: number;

  constructor(server: Server, size = piece) {
    this.server = server;
    this.piece = size;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): readonly Item[] => this.items;

  add(files: readonly Item['file'][], kind: Kind): void {
    const fresh = files.map((file) => ({ key: ++this.keys, kind, file, title: '', date: '', category: '', phase: 'chosen' as const, sent: 0 }));
    this.set([...this.items, ...fresh]);
  }

  change(key: number, change: Partial<Item>): void {
    this.set(this.items.map((i) => (i.key === key ? { ...i, ...change } : i)));
  }

  // remove takes a file from the list that is not on its way.
  remove(key: number): void {
    this.set(this.items.filter((i) => i.key !== key));
  }

  clear(): void {
    this.set(this.items.filter((i) => !ended(i.phase)));
  }

  // start begins with all chosen files of a kind.
  start(kind: Kind): void {
    this.set(this.items.map((i) => (i.phase === 'chosen' && i.kind === kind ? { ...i, phase: 'queued' } : i)));
    this.next();
  }

  again(key: number): void {
    const item = this.find(key);
    if (item && ended(item.phase)) {
      const rest = { ...item };
      delete rest.upload;
      delete rest.error;
      this.set(this.items.map((i) => (i.key === key ? { ...rest, phase: 'queued', sent: 0 } : i)));
      this.next();
    }
  }

  async cancel(key: number): Promise<void> {
    const item = this.find(key);
    this.change(key, { phase: 'cancelled' });
    if (item?.upload) {
      await this.server.cancel(item.upload.id).catch(() => undefined); // the server gives it up by itself after a day
    }
  }

  private find(key: number): Item | undefined {
    return this.items.find((i) => i.key === key);
  }

  private set(items: readonly Item[]): void {
    this.items = items;
    this.listeners.forEach((l) => l());
  }

  private next(): void {
    for (const item of this.items) {
      if (this.running >= atATime) {
        return;
      }
      if (item.phase === 'queued') {
        this.running++;
        this.change(item.key, { phase: 'sending' });
        void this.carry(item.key).finally(() => {
          this.running--;
          this.next();
        });
      }
    }
  }

  // carry brings one file to its end, over as many connections as it takes.
  private async carry(key: number): Promise<void> {
    let failures = 0;
    const sum = { hash: new Sha256() };
    for (;;) {
      const item = this.find(key);
      if (!item || ended(item.phase)) {
        return;
      }
      try {
        if (await this.step(item, sum)) {
          return;
        }
        failures = 0;
      } catch (error) {
        if (ended(this.find(key)?.phase ?? 'cancelled')) {
          return;
        }
        if (error instanceof Failure && error.code === 'not-found' && item.upload) {
          this.forget(key); // the server has given it up: from the start
          sum.hash = new Sha256();
          continue;
        }
        if (!temporary(error)) {
          this.change(key, { phase: 'failed', error });
          return;
        }
        if (item.phase === 'sending') {
          this.change(key, { phase: 'offline' });
        }
        await this.server.wait(Math.min(1000 * 2 ** failures++, longest));
        await this.ask(key);
      }
    }
  }

  private forget(key: number): void {
    this.set(this.items.map((i) => {
      if (i.key !== key) {
        return i;
      }
      const rest = { ...i, sent: 0 };
      delete rest.upload;
      return rest;
    }));
  }

  // ask learns what the server has; without a connection, the next attempt will.
  private async ask(key: number): Promise<void> {
    const id = this.find(key)?.upload?.id;
    if (id) {
      await this.server.get(id).then((u) => this.told(key, u), () => undefined);
    }
  }

  private told(key: number, upload: Upload): void {
    this.change(key, { upload, sent: upload.received });
  }

  // step does the next thing for a file, and reports whether that was the last.
  private async step(item: Item, sum: { hash: Sha256 }): Promise<boolean> {
    const { key } = item;
    if (!item.upload) {
      const open = await this.resumable(item);
      this.told(key, open ?? (await this.server.create(item)));
      return false;
    }
    switch (item.upload.state) {
      case 'open':
        if (item.sent < item.file.size) {
          const end = Math.min(item.sent + this.piece, item.file.size);
          const upload = await this.server.write(item.upload.id, item.sent, item.file.slice(item.sent, end));
          this.change(key, { phase: this.live(key), upload, sent: upload.received });
          return false;
        }
        await this.digest(item, sum);
        this.told(key, await this.server.finish(item.upload.id, sum.hash.hex()));
        return false;
      case 'done':
        this.change(key, { phase: 'done' });
        return true;
      case 'failed':
        this.change(key, { phase: 'failed' });
        return true;
      default:
        if (item.phase !== 'archiving') {
          this.change(key, { phase: 'archiving' });
        }
        await this.server.wait(poll);
        this.told(key, await this.server.get(item.upload.id));
        return false;
    }
  }

  private live(key: number): Phase {
    return this.find(key)?.phase === 'cancelled' ? 'cancelled' : 'sending';
  }

  // digest reads the file once more: what was sent before a reload counts as well.
  private async digest(item: Item, sum: { hash: Sha256 }): Promise<void> {
    sum.hash = new Sha256();
    for (let at = 0; at < item.file.size; at += piece) {
      sum.hash.update(new Uint8Array(await item.file.slice(at, at + piece).arrayBuffer()));
    }
  }

  // resumable finds an upload of the same file that was broken off, and that no other
  // file of this page goes on with.
  private async resumable(item: Item): Promise<Upload | undefined> {
    const identity = identityOf(item);
    const all = await this.server.list();
    return all.find((u) => u.identity === identity && u.state !== 'done' && u.state !== 'failed' && !this.items.some((i) => i.upload?.id === u.id));
  }
}

export const server: Server = {
  list: async () => (await ask(listUploads())).uploads,
  create: (item) =>
    ask(createUpload({
      body: {
        kind: item.kind, name: item.file.name.slice(-1000), size: item.file.size, identity: identityOf(item), category: item.category.trim(),
        ...(item.kind === 'document' ? { title: item.title.trim(), date: item.date } : {}),
      },
    })),
  get: (id) => ask(getUpload({ path: { id } })),
  write: (id, offset, body) => ask(writeUpload({ path: { id }, query: { offset }, body })),
  finish: (id, sha256) => ask(finishUpload({ path: { id }, body: { sha256 } })),
  cancel: (id) => ask(cancelUpload({ path: { id } })),
  wait: (milliseconds) =>
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        window.removeEventListener('online', done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      window.addEventListener('online', done);
    }),
};
