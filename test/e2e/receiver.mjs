// A program that is told of events: it keeps what it is sent, and answers as it is told.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';

// startReceiver resolves to { url, calls, answer, stop }; answer.status and answer.text
// are what it answers.
export async function startReceiver() {
  const calls = [];
  const answer = { status: 204, text: '' };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      calls.push({ headers: request.headers, body });
      response.writeHead(answer.status, { 'Content-Type': 'text/plain' });
      response.end(answer.text);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/events`, calls, answer, stop: () => new Promise((resolve) => server.close(resolve)) };
}

// signed reports whether one of the signatures of a call is made with a secret.
export function signed({ headers, body }, secret) {
  const key = Buffer.from(secret.replace(/^whsec_/u, ''), 'base64');
  const wanted = createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`).digest('base64');
  return headers['webhook-signature'].split(' ').includes(`v1,${wanted}`);
}
