// Which pages there are, and who walks to them. The routes themselves come from
// web/src/router.tsx: one without a line here fails the walk.
//
// A line names, for every role that has the page, the addresses at which it is looked
// at; {name} stands for an id. "nobody" has not logged in, "newcomer" has just started
// an installation for the first time.
const everybody = (path) => Object.fromEntries(['operator', 'reseller', 'tenant-admin', 'auditor', 'dpo', 'user'].map((role) => [role, [path]]));
const admin = (...paths) => ({ 'tenant-admin': paths });
const operator = (...paths) => ({ operator: paths });
const above = (...paths) => ({ operator: paths, reseller: paths });

export const walkRoutes = {
  '/login': { nobody: ['/login'] },
  '/forgotten': { nobody: ['/forgotten'] },
  '/link': { nobody: ['/link', '/link#welcome.x'] },
  '/setup': { newcomer: ['/setup#{first}'] },
  '/': {
    'tenant-admin': ['/', '/?q=Rechnung', '/?id={message}&view=details'],
    user: ['/', '/?q=hat%3Aanhang', '/?q=form%3Aanna', '/?q=zzqqxxyyzz'],
    auditor: ['/', '/?grant={grant}', '/?grant={grant}&id={granted}'],
    dpo: ['/'],
  },
  '/account': everybody('/account'),
  '/upload': { 'tenant-admin': ['/upload'], user: ['/upload'], auditor: ['/upload'], dpo: ['/upload'] },
  '/overview': { 'tenant-admin': ['/overview'], operator: ['/overview'], reseller: ['/overview'] },
  '/sources': admin('/sources'),
  '/sources/new': admin('/sources/new', '/sources/new?kind=journal', '/sources/new?kind=folder'),
  '/sources/$id': admin('/sources/{mailbox}', '/sources/{journal}'),
  '/completeness': admin('/completeness', '/completeness?period=own&by=source'),
  '/domains': admin('/domains'),
  '/selection': admin('/selection'),
  '/quarantine': admin('/quarantine', '/quarantine?state=kept'),
  '/users': admin('/users'),
  '/users/new': admin('/users/new'),
  '/users/import': admin('/users/import'),
  '/users/$id': admin('/users/{user}'),
  '/directories': admin('/directories'),
  '/directories/$id': admin('/directories/{directory}', '/directories/new-ldap', '/directories/new-oidc', '/directories/new-imap'),
  '/login-policy': { 'tenant-admin': ['/login-policy'], operator: ['/login-policy'] },
  '/webhooks': { 'tenant-admin': ['/webhooks'], operator: ['/webhooks'], reseller: ['/webhooks'] },
  '/tokens': { 'tenant-admin': ['/tokens'], operator: ['/tokens'], reseller: ['/tokens'] },
  '/access': { 'tenant-admin': ['/access'], auditor: ['/access'], dpo: ['/access'] },
  '/retention': { 'tenant-admin': ['/retention'], auditor: ['/retention'], dpo: ['/retention'] },
  '/access/tombstones': { 'tenant-admin': ['/access/tombstones'], auditor: ['/access/tombstones'], dpo: ['/access/tombstones'] },
  '/access/records': { dpo: ['/access/records'] },
  '/log': { 'tenant-admin': ['/log'], auditor: ['/log'], dpo: ['/log'], operator: ['/log'] },
  '/evidence': { 'tenant-admin': ['/evidence'], auditor: ['/evidence'], dpo: ['/evidence'] },
  '/tenants': above('/tenants'),
  '/tenants/new': above('/tenants/new'),
  '/tenants/$id': above('/tenants/{customer}'),
  '/resellers': operator('/resellers'),
  '/resellers/$id': operator('/resellers/{reseller}'),
  '/reseller': { reseller: ['/reseller'] },
  '/staff': operator('/staff'),
  '/smarthost': operator('/smarthost'),
  '/site': operator('/site'),
  '/sealing': operator('/sealing'),
};

// refusals are answers that a page has been looked at for: it explains them.
export const refusals = { '/link#welcome.x': 410, '/?q=form%3Aanna': 422 };

// manualPages are outside of the router; nobody needs to log in for them.
export const manualPages = ['index', 'user', 'auditor', 'data-protection-officer', 'tenant-administrator', 'reseller', 'operator'];
