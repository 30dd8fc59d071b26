// What the data files say, which are scripts since a page from disk may load no other files: run.js, entries.js, and a
// script a picture, loaded when the picture is opened.
'use strict';
const glimpse = (() => {
  const kKeep = 32;            // pictures whose words are kept
  const entries = new Map();   // number → entry; one that comes again is replaced where it stands
  const details = new Map();   // number → promise of the words and maps, the latest last
  const waiting = new Map();   // number → the promise's resolve
  let run = null;
  let damaged = false;

  // A data file that is missing or was cut short. Errors of scripts from disk say no more than that there was one.
  addEventListener('error', (event) => { damaged ||= event.target === window || event.target.tagName === 'SCRIPT'; }, true);

  const three = (number) => String(number).padStart(3, '0');
  const stem = (number) => `glimpse/pictures/${three(Math.floor(number / 1000))}/${three(number % 1000)}`;

  function load(number) {
    return new Promise((resolve, reject) => {
      const script = document.createElement('script');
      waiting.set(number, resolve);
      script.addEventListener('load', () => {
        script.remove();
        if (waiting.delete(number)) reject(new Error('damaged'));
      });
      script.addEventListener('error', () => {
        script.remove();
        waiting.delete(number);
        reject(new Error('missing'));
      });
      script.src = stem(number) + '.js';
      document.head.append(script);
    });
  }

  return {
    // Called by the data files.
    run(info) { run = info; },
    add(entry) { entries.set(entry.n, entry); },
    picture(number, value) {
      const resolve = waiting.get(number);
      waiting.delete(number);
      if (resolve) resolve(value);
    },

    info: () => run,
    isDamaged: () => damaged || !run,
    entries: () => [...entries.values()],
    entry: (number) => entries.get(number),
    pictureFile: (entry) => stem(entry.n) + '.jpg',
    thumbFile: (entry) => stem(entry.n) + (entry.thumb ? '.thumb.jpg' : '.jpg'),
    baseName: (path) => path.replace(/\/+$/, '').split('/').pop() || path,

    details(number) {
      const known = details.get(number) ?? load(number);
      details.delete(number);
      details.set(number, known);
      known.catch(() => details.delete(number));
      if (details.size > kKeep) details.delete(details.keys().next().value);
      return known;
    },

    percent(share) {
      if (!(share >= 0)) return '–';
      if (share >= 0.0995) return `${Math.round(100 * share)} %`;
      return share >= 0.0005 ? `${(100 * share).toFixed(1)} %` : '< 0.1 %';
    },
  };
})();
