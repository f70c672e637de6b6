// The browser's own digest wants a file as a whole in memory, and exists only over
// TLS. This is SHA-256 (FIPS 180-4 §6.2) over what comes piece by piece.

// The constants are the beginnings of the fractions of roots of the first primes.
const primes = (() => {
  const found: number[] = [];
  for (let n = 2; found.length < 64; n++) {
    if (found.every((p) => n % p !== 0)) {
      found.push(n);
    }
  }
  return found;
})();

// fraction returns the first 32 bits of the fraction of a root, by integers: floating
// point is not exact enough for cube roots.
function fraction(n: number, root: 2 | 3): number {
  const bits = 32n;
  const wanted = BigInt(n) << (bits * BigInt(root));
  let low = 0n;
  let high = 1n << 40n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** BigInt(root) <= wanted) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return Number(low & 0xffffffffn);
}

const begin = Uint32Array.from(primes.slice(0, 8), (p) => fraction(p, 2));
const rounds = Uint32Array.from(primes, (p) => fraction(p, 3));

const turn = (x: number, n: number): number => (x >>> n) | (x << (32 - n));

export class Sha256 {
  private readonly state = begin.slice();
  private readonly words = new Uint32Array(64);
  private readonly rest = new Uint8Array(64);
  private held = 0; // bytes in rest
  length = 0; // bytes so far

  update(bytes: Uint8Array): this {
    this.length += bytes.length;
    let at = 0;
    if (this.held > 0) {
      at = Math.min(64 - this.held, bytes.length);
      this.rest.set(bytes.subarray(0, at), this.held);
      this.held += at;
      if (this.held < 64) {
        return this;
      }
      this.block(this.rest, 0);
      this.held = 0;
    }
    for (; at + 64 <= bytes.length; at += 64) {
      this.block(bytes, at);
    }
    this.rest.set(bytes.subarray(at));
    this.held = bytes.length - at;
    return this;
  }

  // hex ends the sum; nothing can be added after it.
  hex(): string {
    const bits = BigInt(this.length) * 8n;
    const padding = new Uint8Array(((this.held < 56 ? 56 : 120) - this.held) + 8);
    padding[0] = 0x80;
    new DataView(padding.buffer).setBigUint64(padding.length - 8, bits);
    this.update(padding);
    return Array.from(this.state, (w) => w.toString(16).padStart(8, '0')).join('');
  }

  private block(bytes: Uint8Array, at: number): void {
    const w = this.words;
    for (let i = 0; i < 16; i++) {
      const p = at + 4 * i;
      w[i] = (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!;
    }
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15]!;
      const y = w[i - 2]!;
      w[i] = w[i - 16]! + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + w[i - 7]! + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10));
    }
    const s = this.state;
    let [a, b, c, d, e, f, g, h] = s as unknown as [number, number, number, number, number, number, number, number];
    for (let i = 0; i < 64; i++) {
      const first = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + rounds[i]! + w[i]!) | 0;
      const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e;
      e = (d + first) | 0;
      d = c; c = b; b = a;
      a = (first + second) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((x, i) => { s[i] = s[i]! + x; });
  }
}
