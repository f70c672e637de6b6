import { createHash, randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { Sha256 } from './sha256';

const want = (b: Uint8Array) => createHash('sha256').update(b).digest('hex');

describe('SHA-256', () => {
  it('agrees with another one for every length around a block', () => {
    for (let n = 0; n < 200; n++) {
      const b = randomBytes(n);
      expect(new Sha256().update(b).hex()).toBe(want(b));
    }
  });
  it('does not depend on how the bytes come', () => {
    const b = randomBytes(100_000);
    for (let round = 0; round < 20; round++) {
      const sum = new Sha256();
      for (let at = 0; at < b.length;) {
        const n = 1 + Math.floor(Math.random() * (round < 10 ? 100 : 10_000));
        sum.update(b.subarray(at, at + n));
        at += n;
      }
      expect(sum.length).toBe(b.length);
      expect(sum.hex()).toBe(want(b));
    }
  });
});
