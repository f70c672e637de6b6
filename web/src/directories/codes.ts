// codes are those that have a sentence of their own.
export const codes = [
  'dns', 'connect', 'forbidden', 'timeout', 'certificate', 'tls', 'auth', 'protocol', 'unavailable', 'internal', 'base-dn', 'empty', 'filter', 'group', 'too-large', 'denied', 'guard', 'plan',
  'issuer', 'provider', 'state', 'id-token', 'audience', 'nonce', 'expired', 'hosted', 'no-email', 'unknown', 'disabled', 'overage', 'secret',
] as const;
