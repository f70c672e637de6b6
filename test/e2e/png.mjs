// PNG (ISO/IEC 15948) as small as pictures of pages can be: with at most 256 colours.
import { deflateSync, inflateSync } from 'node:zlib';

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const table = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) {
    c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  }
  return c >>> 0;
});

function crc(bytes) {
  let c = 0xffffffff;
  for (const b of bytes) {
    c = table[(c ^ b) & 0xff] ^ (c >>> 8);
  }
  return (c ^ 0xffffffff) >>> 0;
}

function chunk(type, data) {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  data.copy(out, 8);
  out.writeUInt32BE(crc(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

// decode reads what browsers write: 8 bits a channel, with or without transparency,
// not interlaced. It returns one number a pixel, 0xRRGGBB.
function decode(png) {
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  const [depth, type, , , interlaced] = png.subarray(24, 29);
  if (depth !== 8 || (type !== 2 && type !== 6) || interlaced) {
    throw new Error(`a PNG of depth ${depth} and type ${type}`);
  }
  const data = [];
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') {
      data.push(png.subarray(at + 8, at + 8 + length));
    }
    at += 12 + length;
  }
  const size = type === 2 ? 3 : 4;
  return { width, height, pixels: unfilter(inflateSync(Buffer.concat(data)), width, height, size) };
}

// unfilter undoes what PNG does to a line before it is compressed (§9).
function unfilter(raw, width, height, size) {
  const stride = width * size;
  const pixels = new Uint32Array(width * height);
  let above = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    const line = new Uint8Array(raw.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)));
    for (let i = 0; i < stride; i++) {
      const left = i >= size ? line[i - size] : 0;
      const up = above[i];
      const corner = i >= size ? above[i - size] : 0;
      line[i] += [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
    }
    for (let x = 0; x < width; x++) {
      pixels[y * width + x] = (line[x * size] << 16) | (line[x * size + 1] << 8) | line[x * size + 2];
    }
    above = line;
  }
  return pixels;
}

function paeth(left, up, corner) {
  const p = left + up - corner;
  const [a, b, c] = [Math.abs(p - left), Math.abs(p - up), Math.abs(p - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

// palette returns the colours that occur most, at most 256.
function palette(pixels) {
  const counts = new Map();
  for (const p of pixels) {
    counts.set(p, (counts.get(p) ?? 0) + 1);
  }
  return { counts, colours: [...counts].sort((a, b) => b[1] - a[1]).slice(0, 256).map(([p]) => p) };
}

function nearest(colour, colours) {
  let best = 0;
  let least = Infinity;
  colours.forEach((c, i) => {
    const distance = ((c >> 16) - (colour >> 16)) ** 2 + (((c >> 8) & 255) - ((colour >> 8) & 255)) ** 2 + ((c & 255) - (colour & 255)) ** 2;
    if (distance < least) {
      [best, least] = [i, distance];
    }
  });
  return best;
}

// shrink returns the same picture with at most 256 colours.
export function shrink(png) {
  const { width, height, pixels } = decode(png);
  const { counts, colours } = palette(pixels);
  const index = new Map([...counts.keys()].map((c) => [c, nearest(c, colours)]));
  const lines = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      lines[y * (width + 1) + 1 + x] = index.get(pixels[y * width + x]);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8); // indexed colours
  const entries = Buffer.from(colours.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]));
  return Buffer.concat([signature, chunk('IHDR', header), chunk('PLTE', entries), chunk('IDAT', deflateSync(lines, { level: 9 })), chunk('IEND', Buffer.alloc(0))]);
}
