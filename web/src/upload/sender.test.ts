import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import type { Upload } from '../api';
import { Failure } from '../failure';
import { Sender, type Item, type Server } from './sender';

// Fake keeps uploads as the server does; breaks loses requests or answers.
class Fake implements Server {
  readonly uploads = new Map<string, Upload & { data: Uint8Array; sha256?: string }>();
  breaks: (call: string) => 'before' | 'after' | undefined = () => undefined;
  calls = 0;

  private async call<T>(name: string, act: () => T | Promise<T>): Promise<T> {
    this.calls++;
    await new Promise((resolve) => setTimeout(resolve, 0));
    const broken = this.breaks(name);
    if (broken === 'before') throw new Failure(undefined);
    const out = await act();
    if (broken === 'after') throw new Failure(undefined);
    return out;
  }

  private of(id: string) {
    const u = this.uploads.get(id);
    if (!u) throw new Failure({ code: 'not-found' } as never);
    return u;
  }

  list = () => this.call('list', () => [...this.uploads.values()].map((u) => ({ ...u })));
  create = (item: Item) => this.call('create', () => {
    const id = String(this.uploads.size + 1);
    const u = { id, kind: item.kind, name: item.file.name, size: item.file.size, received: 0, identity: `${item.kind}/${item.file.name}/${item.file.size}/${item.file.lastModified}`,
      title: item.title, date: item.date, category: item.category, created_at: '', state: 'open' as const, reason: '', data: new Uint8Array(item.file.size) };
    this.uploads.set(id, u);
    return { ...u };
  });
  get = (id: string) => this.call('get', () => {
    const u = this.of(id);
    if (u.state === 'waiting') {
      const sum = createHash('sha256').update(u.data).digest('hex');
      u.state = sum === u.sha256 ? 'done' : 'failed';
    }
    return { ...u };
  });
  write = (id: string, offset: number, piece: Blob) => this.call('write', async () => {
    const u = this.of(id);
    const bytes = new Uint8Array(await piece.arrayBuffer());
    if (offset !== u.received) throw new Failure({ code: 'upload-offset' } as never);
    u.data.set(bytes, offset);
    u.received += bytes.length;
    return { ...u };
  });
  finish = (id: string, sha256: string) => this.call('finish', () => {
    const u = this.of(id);
    if (u.state === 'open') Object.assign(u, { state: 'waiting', sha256 });
    return { ...u };
  });
  cancel = (id: string) => this.call('cancel', () => { this.uploads.delete(id); });
  wait = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
}

const file = (name: string, size: number) => {
  const bytes = new Uint8Array(size).map((_, i) => (i * 7 + size) % 251);
  return Object.assign(new Blob([bytes]), { name, lastModified: 5 }) as Item['file'];
};

async function settle(s: Sender): Promise<readonly Item[]> {
  for (let i = 0; i < 100_000; i++) {
    if (s.snapshot().every((x) => x.phase === 'done' || x.phase === 'failed' || x.phase === 'cancelled')) return s.snapshot();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  throw new Error('it does not come to an end');
}

const mebibytes = 500; // two to a piece
const sender = (fake: Fake) => new Sender(fake, 1000);

describe('sending files', () => {
  it('sends several, whatever breaks on the way', async () => {
    const fake = new Fake();
    let n = 0;
    fake.breaks = () => { n++; return n % 3 === 0 ? 'after' : n % 5 === 0 ? 'before' : undefined; };
    const s = sender(fake);
    s.add([file('a', 7 * mebibytes), file('b', 1), file('c', 2 * mebibytes), file('d', 4 * mebibytes + 1)], 'document');
    s.start('document');
    const items = await settle(s);
    expect(items.map((i) => i.phase)).toEqual(['done', 'done', 'done', 'done']);
  });

  it('goes on where another page was broken off', async () => {
    const fake = new Fake();
    const first = sender(fake);
    let writes = 0;
    fake.breaks = (call) => (call === 'write' && ++writes > 2 ? 'before' : undefined);
    first.add([file('a', 9 * mebibytes)], 'mail');
    first.start('mail');
    while (writes < 5) await new Promise((resolve) => setTimeout(resolve, 0));
    first.remove(1); // the page is gone
    fake.breaks = () => undefined;
    const sent: number[] = [];
    const write = fake.write;
    fake.write = (id, offset, piece) => { sent.push(offset); return write(id, offset, piece); };
    const second = sender(fake);
    second.add([file('a', 9 * mebibytes)], 'mail');
    second.start('mail');
    expect((await settle(second)).map((i) => i.phase)).toEqual(['done']);
    expect(sent[0]).toBe(4 * mebibytes);
    expect(fake.uploads.size).toBe(1);
  });

  it('does not take two files for one', async () => {
    const fake = new Fake();
    const s = sender(fake);
    s.add([file('a', 10), file('a', 10)], 'document');
    s.start('document');
    await settle(s);
    expect(fake.uploads.size).toBe(2);
  });

  it('tells what can never be sent', async () => {
    const fake = new Fake();
    fake.create = () => Promise.reject(new Failure({ code: 'upload-limit', detail: 'too large' } as never));
    const s = sender(fake);
    s.add([file('a', 10)], 'document');
    s.start('document');
    expect((await settle(s))[0]).toMatchObject({ phase: 'failed' });
  });

  it('begins anew when the server has given an upload up', async () => {
    const fake = new Fake();
    let gone = false;
    fake.breaks = (call) => {
      if (call === 'finish' && !gone) { gone = true; fake.uploads.clear(); }
      return undefined;
    };
    const s = sender(fake);
    s.add([file('a', 3 * mebibytes)], 'document');
    s.start('document');
    expect((await settle(s))[0]).toMatchObject({ phase: 'done', sent: 3 * mebibytes });
  });

  it('cancels', async () => {
    const fake = new Fake();
    const s = sender(fake);
    s.add([file('a', 30 * mebibytes)], 'document');
    s.start('document');
    while (fake.calls < 5) await new Promise((resolve) => setTimeout(resolve, 0));
    await s.cancel(1);
    expect((await settle(s))[0]).toMatchObject({ phase: 'cancelled' });
    expect(fake.uploads.size).toBe(0);
  });
});
