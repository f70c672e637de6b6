import assert from 'node:assert/strict';
import { it } from 'node:test';

import { assertAccessible, assertOnlyHome, logIn, openPage, screenshot } from './browser.mjs';
import { startProvider } from './provider.mjs';
import { missing, startSlapd } from './slapd.mjs';

export function directories(world) {
  it('shows directories to administrators only', async () => {
    const tab = await openPage(world.browser, world.server);
    await logIn(tab, world.user);
    await tab.visit('/directories');
    await tab.page.getByText('Only administrators of a customer see this page.').waitFor();
    await tab.context.close();
  });

  it('adds a directory, explains what is wrong with it, and removes it', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    await tab.visit('/directories');
    await page.getByText('There is no directory yet: all users are local.').waitFor();
    await assertAccessible(page, 'directories');
    await page.getByRole('link', { name: 'Add: Active Directory or LDAP' }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Name the server, such as dc1.firma.example').waitFor();
    await page.getByText('The base DN is needed.').waitFor();
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-invalid') === 'true');
    await assertAccessible(page, 'a directory with mistakes');

    await page.getByLabel('Name *').fill('Active Directory');
    await page.getByLabel('Server *').fill('127.0.0.1');
    await page.getByLabel('User that reads *').fill('archive@firma.example');
    await page.getByRole('textbox', { name: 'Password' }).fill('geheim-17');
    await page.getByLabel('Base DN of users *').fill('DC=firma,DC=example');
    await page.getByRole('button', { name: 'Add a group' }).click();
    await page.getByLabel('Group', { exact: true }).fill('CN=Revision,DC=firma,DC=example');
    await page.getByRole('button', { name: 'Advanced' }).click();
    await page.getByRole('textbox', { name: 'Port' }).fill('1');
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await page.getByText('The server does not answer, or the connection broke.').waitFor();
    await page.getByRole('button', { name: 'Details' }).click();
    await assertAccessible(page, 'a directory with a problem');
    await screenshot(page, 'directory-problem');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Preview' }).waitFor();
    assert.match(page.url(), /\/directories\/[0-9a-z]{26}$/);
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('The server does not answer, or the connection broke.').first().waitFor();
    assert.equal(await page.getByText('geheim-17').count(), 0);

    await tab.visit('/directories');
    await page.getByRole('link', { name: 'Active Directory', exact: true }).waitFor();
    await screenshot(page, 'directories');
    await page.getByRole('link', { name: 'Add: Single sign-on' }).click();
    assert.match(await page.getByLabel('Redirect address *').inputValue(), /^http.*\/auth\/oidc\/callback$/);
    await page.getByLabel('Name *').fill('Entra ID');
    await page.getByLabel('Issuer *').fill('https://login.invalid/v2.0');
    await page.getByLabel('Client ID *').fill('x');
    await page.getByRole('switch', { name: /^Show the button at once/ }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Entra ID' }).waitFor();
    await screenshot(page, 'directory-provider');

    const stranger = await openPage(world.browser, world.server);
    await stranger.visit('/login');
    await stranger.page.getByRole('link', { name: 'Log in with Entra ID' }).click();
    await stranger.page.getByText('There is no server of this name.').waitFor();
    await assertAccessible(stranger.page, 'log-in page with a provider');
    await screenshot(stranger.page, 'login-provider');
    await stranger.context.close();

    for (const name of ['Entra ID', 'Active Directory']) {
      await tab.visit('/directories');
      await page.getByRole('link', { name, exact: true }).click();
      await page.getByRole('button', { name: 'Remove directory' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Remove directory' }).click();
      await page.waitForURL(/\/directories$/);
    }
    await page.getByText('There is no directory yet: all users are local.').waitFor();
    assertOnlyHome(tab);
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });

  it('takes users over who are here already', { skip: missing() && `${missing()} is not installed` }, async () => {
    const domain = 'abgleich.example';
    const slapd = await startSlapd([
      { login: 'pia', first: 'Pia', last: 'Lang', mails: [`pia@${domain}`] },
      { login: 'q.lang', first: 'Quirin', last: 'Lang', mails: [`lang@${domain}`] },
    ]);
    const tab = await openPage(world.browser, world.server, { locale: 'de-DE' });
    const { page } = tab;
    await logIn(tab, world.admin);
    const call = (method, path, body) => page.evaluate(async ([m, p, b]) => {
      const answer = await fetch(`/api/v1${p}`, { method: m, ...(b && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(b) }) });
      return { status: answer.status, body: answer.status === 204 ? null : await answer.json() };
    }, [method, path, body]);
    assert.equal((await call('POST', '/domains', { name: domain })).status, 201);
    for (const user of [{ login: 'pia', addresses: [] }, { login: 'quirin', addresses: [`lang@${domain}`] }]) {
      const added = await call('POST', '/users', { ...user, role: 'user', password: 'Kaffee-Tanne-71-Zebra' });
      assert.equal(added.status, 201, JSON.stringify(added.body));
    }
    const made = await call('POST', '/directories', { name: 'OpenLDAP', secret: slapd.password, settings: {
      ldap: { flavour: 'generic', host: '127.0.0.1', port: slapd.port, tls: 'none', bind_dn: slapd.reader, base_dn: slapd.base } } });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    try {
      await tab.visit(`/directories/${made.body.id}`);
      await page.getByRole('button', { name: 'Vorschau' }).click();
      const matches = page.getByTestId('directory-matches');
      await matches.getByText('2 Personen sind vielleicht schon hier').waitFor();
      await matches.getByText('gleicher Benutzername').waitFor();
      await matches.getByText(`gleiche Adresse: lang@${domain}`).waitFor();
      await matches.getByLabel('Entscheidung über pia').selectOption({ label: 'Ist dieselbe Person wie pia' });
      await matches.getByText('Das hiesige Passwort endet.').waitFor();
      await matches.scrollIntoViewIfNeeded();
      await assertAccessible(page, 'users who are here already');
      await screenshot(page, 'directory-matches');
      await page.setViewportSize({ width: 390, height: 844 });
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'nothing is cut off at the side');
      const field = await matches.getByLabel('Entscheidung über q.lang').boundingBox();
      assert.ok(field && field.width > 200, 'decisions can be read on a telephone');
      await assertAccessible(page, 'users who are here already, on a telephone');
      await screenshot(page, 'directory-matches-phone');
      await page.getByRole('button', { name: '1 Änderung übernehmen' }).click();
      await page.getByText('Wer nicht entschieden wurde, ist geblieben, wie er war.').waitFor();

      const pia = await openPage(world.browser, world.server);
      await logIn(pia, { login: 'pia', password: 'directory of pia' });
      await pia.context.close();
      const quirin = await openPage(world.browser, world.server); // nobody has decided: all stays
      await logIn(quirin, { login: 'quirin', password: 'Kaffee-Tanne-71-Zebra' });
      await quirin.context.close();
    } finally {
      assert.equal((await call('DELETE', `/directories/${made.body.id}`)).status, 204);
      assert.equal((await call('DELETE', `/domains/${domain}`)).status, 204);
      await tab.context.close();
      await slapd.stop();
    }
  });

  it('logs in at a provider', async () => {
    const provider = await startProvider();
    const domain = 'anmeldung.example';
    provider.account = { sub: '42', email: `nina@${domain}`, email_verified: true, name: 'Nina Neumann' };
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    const call = (method, path, body) => page.evaluate(async ([m, p, b]) => {
      const answer = await fetch(`/api/v1${p}`, { method: m, ...(b && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(b) }) });
      return { status: answer.status, body: answer.status === 204 ? null : await answer.json() };
    }, [method, path, body]);
    assert.equal((await call('POST', '/domains', { name: domain })).status, 201);
    const made = await call('POST', '/directories', { name: 'Firma', secret: provider.secret, settings: {
      oidc: { issuer: provider.issuer, client_id: provider.clientId, redirect: `${tab.home}/auth/oidc/callback`, create: true, offered: true } } });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    try {
      const nina = await openPage(world.browser, world.server);
      await nina.visit('/login');
      await nina.page.getByRole('link', { name: 'Log in with Firma' }).click();
      await nina.page.getByRole('link', { name: 'Yes, it is me' }).click();
      await nina.page.getByRole('search').waitFor();
      assert.equal(new URL(nina.page.url()).origin, nina.home);
      await nina.visit('/account');
      await nina.page.getByText('Nina Neumann').first().waitFor();
      await nina.context.close();
    } finally {
      assert.equal((await call('DELETE', `/directories/${made.body.id}`)).status, 204);
      assert.equal((await call('DELETE', `/domains/${domain}`)).status, 204);
      await tab.context.close();
      await provider.stop();
    }
  });

  it('fits a telephone, in German and in the dark', async () => {
    const tab = await openPage(world.browser, world.server, { viewport: { width: 390, height: 844 }, locale: 'de-DE', colorScheme: 'dark' });
    const { page } = tab;
    await logIn(tab, world.admin);
    await tab.visit('/directories/new-ldap');
    await page.getByRole('button', { name: 'Speichern' }).click();
    await page.getByText('Der Basis-DN ist nötig.').waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'nothing is cut off at the side');
    await assertAccessible(page, 'a directory on a telephone');
    await screenshot(page, 'directory-phone');
    await tab.context.close();
  });
}
