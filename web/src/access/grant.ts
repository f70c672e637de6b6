// grant is the id of the request under which the page reads other people's mail; empty:
// one's own. It stands in the address of the search page and nowhere else, so that
// whoever leaves the page leaves the access.
export function grant(): string {
  return location.pathname === '/' ? (new URLSearchParams(location.search).get('grant') ?? '') : '';
}

// underGrant is the parameter that goes with every request of such a page.
export function underGrant(): { grant?: string } {
  const id = grant();
  return id ? { grant: id } : {};
}

// inGrant adds it to the address of a download.
export function inGrant(address: string): string {
  const id = grant();
  return id ? `${address}${address.includes('?') ? '&' : '?'}grant=${encodeURIComponent(id)}` : address;
}
