import type { MailboxProblem } from '../api';

// Problems of which the archive says that it keeps trying; after a mere test of settings
// that would be wrong.
const passing = ['connect', 'timeout', 'unavailable', 'throttled', 'authority'] as const;

type Passing = (typeof passing)[number];

// cureOf names the text that says what to do about a problem.
export function cureOf(code: MailboxProblem['code'], tested: boolean): `sources.cure.${MailboxProblem['code']}` | `sources.cureOfTest.${Passing}` {
  const found = tested ? passing.find((p) => p === code) : undefined;
  return found ? `sources.cureOfTest.${found}` : `sources.cure.${code}`;
}
