// A provider of OpenID Connect, as small as the browser test needs it.
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';

// startProvider resolves to { issuer, clientId, secret, account, stop }: whoever says
// yes on its page is the account.
export async function startProvider() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const provider = { clientId: 'muniment', secret: 'geheim-von-einem-test', account: {} };
  const codes = new Map();
  const server = createServer((request, response) => {
    const url = new URL(request.url, provider.issuer);
    const q = url.searchParams;
    const json = (value) => response.setHeader('Content-Type', 'application/json').end(JSON.stringify(value));
    if (url.pathname === '/.well-known/openid-configuration') {
      json({ issuer: provider.issuer, authorization_endpoint: `${provider.issuer}/authorize`, token_endpoint: `${provider.issuer}/token`, jwks_uri: `${provider.issuer}/keys`,
        response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['ES256'] });
    } else if (url.pathname === '/keys') {
      json({ keys: [{ ...publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: '1' }] });
    } else if (url.pathname === '/authorize' && q.get('code_challenge_method') === 'S256') {
      const code = `code-${codes.size + 1}`;
      codes.set(code, { nonce: q.get('nonce'), challenge: q.get('code_challenge') });
      const back = new URL(q.get('redirect_uri'));
      back.search = new URLSearchParams({ code, state: q.get('state') });
      response.setHeader('Content-Type', 'text/html; charset=utf-8').end(`<!doctype html><html lang="en"><title>Provider</title><h1>Log in?</h1><a href="${back.href.replaceAll('&', '&amp;')}">Yes, it is me</a>`);
    } else if (url.pathname === '/token') {
      let body = '';
      request.on('data', (chunk) => { body += chunk; });
      request.on('end', () => {
        const form = new URLSearchParams(body);
        const grant = codes.get(form.get('code'));
        codes.delete(form.get('code'));
        const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
        if (!grant || grant.challenge !== challenge) {
          response.statusCode = 400;
          json({ error: 'invalid_grant' });
          return;
        }
        const now = Math.floor(Date.now() / 1000);
        const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
        const signed = `${part({ alg: 'ES256', kid: '1' })}.${part({ iss: provider.issuer, aud: provider.clientId, iat: now, exp: now + 300, nonce: grant.nonce, ...provider.account })}`;
        const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
        json({ access_token: 'x', token_type: 'Bearer', id_token: `${signed}.${signature}` });
      });
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  provider.issuer = `http://127.0.0.1:${server.address().port}`;
  provider.stop = () => new Promise((resolve) => server.close(resolve));
  return provider;
}
