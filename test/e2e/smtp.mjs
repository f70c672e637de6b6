// As much SMTP (RFC 5321) as it takes to send messages and see the answers.
import { connect } from 'node:net';

// send delivers messages, one after the other, to one recipient. Each is accepted
// for good, or send throws.
export async function send({ address, from, to, messages }) {
  const at = address.lastIndexOf(':');
  const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)) });
  socket.setTimeout(20_000, () => socket.destroy(new Error('the SMTP server does not answer')));
  const replies = readReplies(socket);
  const say = async (line, expected) => {
    if (line) {
      socket.write(line);
    }
    const { value: reply } = await replies.next();
    if (!reply?.startsWith(expected)) {
      throw new Error(`SMTP: ${String(line).slice(0, 60).trim()}: ${reply}`);
    }
    return reply;
  };
  try {
    await say('', '220');
    await say('EHLO e2e.example\r\n', '250');
    for (const bytes of messages) {
      await say(`MAIL FROM:<${from}>\r\n`, '250');
      await say(`RCPT TO:<${to}>\r\n`, '250');
      await say('DATA\r\n', '354');
      await say(Buffer.concat([stuff(bytes), Buffer.from('.\r\n')]), '250');
    }
    await say('QUIT\r\n', '221');
  } finally {
    socket.destroy();
  }
}

// stuff doubles dots at the start of lines (RFC 5321 §4.5.2); bytes end with CRLF.
function stuff(bytes) {
  return Buffer.from(bytes.toString('latin1').replace(/^\./gm, '..'), 'latin1');
}

// readReplies yields the last line of each reply.
async function* readReplies(socket) {
  let rest = '';
  for await (const chunk of socket) {
    rest += chunk.toString('utf8');
    for (;;) {
      const end = rest.indexOf('\r\n');
      if (end < 0) {
        break;
      }
      const line = rest.slice(0, end);
      rest = rest.slice(end + 2);
      if (line[3] !== '-') {
        yield line;
      }
    }
  }
}
