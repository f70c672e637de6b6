const browsers: [RegExp, string][] = [[/\bEdg\//u, 'Edge'], [/\bOPR\//u, 'Opera'], [/\bFirefox\//u, 'Firefox'], [/Chrom(?:e|ium)\//u, 'Chrome'], [/\bSafari\//u, 'Safari'], [/^curl\//u, 'curl']];
const systems: [RegExp, string][] = [[/\bAndroid\b/u, 'Android'], [/\b(?:iPhone|iPad)\b/u, 'iOS'], [/\bWindows\b/u, 'Windows'], [/\bMac OS X\b/u, 'macOS'], [/\bCrOS\b/u, 'ChromeOS'], [/\bLinux\b/u, 'Linux']];

// agentName says in two words what a browser says of itself in many: Firefox, Windows.
// Empty: it cannot be told.
export function agentName(agent: string): string {
  const find = (list: [RegExp, string][]) => list.find(([form]) => form.test(agent))?.[1];
  return [find(browsers), find(systems)].filter(Boolean).join(', ');
}
