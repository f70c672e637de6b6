// A DNS server with TXT records alone, so that nobody asks the machine's.
import { createSocket } from 'node:dgram';

const txt = 16;

// nameOf reads the name of a question, and where it ends. RFC 1035 §4.1.2
function nameOf(question) {
  const labels = [];
  let at = 12;
  for (let length = question[at]; length > 0; length = question[at]) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 5 };
}

// record is one TXT record of the name that is asked for. RFC 1035 §3.3.14
function record(text) {
  const data = Buffer.from(text);
  return Buffer.concat([Buffer.from([0xc0, 12, 0, txt, 0, 1, 0, 0, 0, 0, 0, data.length + 1, data.length]), data]);
}

// startDNS resolves to { address, records, asked, stop }: records maps names to lists of
// texts, of names without them it says that there is nothing.
export async function startDNS() {
  const records = new Map();
  const asked = [];
  const socket = createSocket('udp4');
  socket.on('message', (question, from) => {
    const { name, end } = nameOf(question);
    asked.push(name);
    const answers = question.readUInt16BE(end - 4) === txt ? (records.get(name) ?? []).map(record) : [];
    const head = Buffer.from(question.subarray(0, 12));
    head.writeUInt16BE(records.has(name) ? 0x8180 : 0x8183, 2);
    for (const [n, at] of [[1, 4], [answers.length, 6], [0, 8], [0, 10]]) {
      head.writeUInt16BE(n, at);
    }
    socket.send(Buffer.concat([head, question.subarray(12, end), ...answers]), from.port, from.address);
  });
  await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { address: `127.0.0.1:${socket.address().port}`, records, asked, stop: () => new Promise((resolve) => socket.close(resolve)) };
}
