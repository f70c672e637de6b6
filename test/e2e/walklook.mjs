// What is looked at on every page of the walk.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const locales = new URL('../../web/src/locales/', import.meta.url);
const flatten = (node, path = '') => Object.entries(node).flatMap(([key, value]) => (typeof value === 'string' ? [[path + key, value]] : flatten(value, `${path}${key}.`)));
const texts = Object.fromEntries(['de', 'en'].map((l) => [l, new Map(flatten(JSON.parse(readFileSync(new URL(`${l}.json`, locales), 'utf8'))))]));

// foreign returns what recognises texts of the other language that do not exist in one's
// own: whole texts of more than two letters, and those with places for values that have
// enough words around them.
// The archive itself calls one source "Upload": that is a name, not a text.
function foreign(language) {
  const own = new Set([...texts[language].values(), 'Upload']);
  const others = [...texts[language === 'de' ? 'en' : 'de'].values()].filter((text) => !own.has(text));
  const plain = new Set(others.filter((text) => !text.includes('{{')).map((text) => text.trim()));
  const patterns = others
    .filter((text) => text.includes('{{') && text.replace(/\{\{\w+\}\}/gu, '').replace(/[^\p{L}]/gu, '').length > 12)
    .map((text) => new RegExp(`^${text.split(/\{\{\w+\}\}/u).map((part) => part.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&')).join('.+')}$`, 'u'));
  const known = new Map(); // most texts are on many pages
  return (text) => {
    if (!known.has(text)) {
      known.set(text, text.length > 2 && (plain.has(text) || patterns.some((p) => p.test(text))));
    }
    return known.get(text);
  };
}

const isForeign = { de: foreign('de'), en: foreign('en') };
const keys = new Set([...texts.en.keys()].map((key) => key.replace(/_(?:one|other)$/u, '')));

// watch counts what a page asks for, and remembers what went wrong.
export function watch(page) {
  const state = { open: new Set(), wrong: [], last: Date.now() };
  const ended = (request) => {
    state.open.delete(request);
    state.last = Date.now();
  };
  page.on('request', (request) => state.open.add(request));
  page.on('requestfinished', ended);
  page.on('requestfailed', (request) => {
    ended(request);
    const why = request.failure()?.errorText;
    if (why !== 'net::ERR_ABORTED') { // asked for again, or not needed any more
      state.wrong.push(`${request.method()} ${request.url()}: ${why}`);
    }
  });
  page.on('response', (response) => {
    if (response.status() >= 400) {
      state.wrong.push(`${response.request().method()} ${response.url()}: ${response.status()}`);
    }
  });
  page.on('pageerror', (error) => state.wrong.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/^Failed to load resource/u.test(message.text())) { // those are counted above
      state.wrong.push(`console: ${message.text()}`);
    }
  });
  return state;
}

// settled waits until a page has all that it has asked for and shows it.
export async function settled(page, state, limit = 60_000) {
  const end = Date.now() + limit;
  for (;;) {
    const quiet = state.open.size === 0 && Date.now() - state.last > 60;
    if (quiet && await page.evaluate(() => document.querySelector('h1, main form') !== null && document.querySelector('.mantine-Skeleton-root, .mantine-Loader-root, [aria-busy=true]') === null)) {
      return;
    }
    assert.ok(Date.now() < end, `${page.url()} is not ready after ${limit} ms: ${[...state.open].map((r) => r.url()).join(' ')}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// look returns what is wrong with what a page shows: keys in place of texts, texts of
// the other language, what is cut off at the right, and buttons whose words are.
export async function look(page, language) {
  const { shown, wide, lang } = await page.evaluate(() => {
    const out = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT, (node) => (/^(?:SCRIPT|STYLE|NOSCRIPT)$/u.test(node.parentElement.tagName) || node.parentElement.closest('[lang]:not(html), code, pre, kbd') ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT));
    while (walker.nextNode()) {
      out.add(walker.currentNode.textContent.trim());
      out.add(walker.currentNode.parentElement.textContent.trim());
    }
    for (const element of document.querySelectorAll('[aria-label], [title], [placeholder], [alt]')) {
      for (const name of ['aria-label', 'title', 'placeholder', 'alt']) {
        out.add((element.getAttribute(name) ?? '').trim());
      }
    }
    out.add(document.title);
    const width = document.documentElement.clientWidth;
    const scrolls = (element) => {
      for (let e = element.parentElement; e && e !== document.body; e = e.parentElement) {
        if (e.id !== 'content' && /auto|scroll|hidden|clip/u.test(getComputedStyle(e).overflowX)) {
          return true;
        }
      }
      return false;
    };
    const over = [];
    for (const element of document.querySelectorAll('body *')) {
      const box = element.getBoundingClientRect();
      if (box.width > 0 && box.height > 0 && box.right > width + 1 && !scrolls(element)) {
        over.push(`<${element.tagName.toLowerCase()} class="${element.getAttribute('class') ?? ''}"> "${element.textContent.slice(0, 40)}" ends at ${Math.round(box.right)} of ${width}`);
      }
    }
    const content = document.getElementById('content');
    for (const label of document.querySelectorAll('button, a, [role=button], [role=tab]')) {
      for (const part of [label, ...label.querySelectorAll('*')]) {
        const { overflowX, textOverflow } = getComputedStyle(part);
        if (part.clientWidth > 2 && part.scrollWidth > part.clientWidth + 1 && overflowX !== 'visible' && textOverflow !== 'ellipsis') {
          over.push(`"${label.textContent.slice(0, 40)}" is cut off`);
        }
      }
    }
    if (document.documentElement.scrollWidth > width || (content && content.scrollWidth > content.clientWidth + 1)) {
      over.push('the page scrolls sideways');
    }
    return { shown: [...out].filter((text) => text !== ''), wide: over.slice(0, 3), lang: document.documentElement.lang };
  });
  const wrong = [...wide];
  if (lang !== language) {
    wrong.push(`the page calls itself "${lang}"`);
  }
  for (const text of shown) {
    if (text.includes('{{') || keys.has(text) && text.includes('.')) {
      wrong.push(`untranslated: ${text.slice(0, 80)}`);
    } else if (isForeign[language](text)) {
      wrong.push(`not ${language}: ${text.slice(0, 80)}`);
    }
  }
  return wrong;
}
