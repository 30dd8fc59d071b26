// All pictures with their captions, and what failed: searched, sorted, added to the page as the reader scrolls.
'use strict';
glimpse.gallery = (() => {
  const kAtOnce = 96;  // pictures added to the page at a time
  const kFlattest = 2.4, kSteepest = 0.6;
  const find = (id) => document.getElementById(id);
  const gallery = find('gallery'), failures = find('failures'), search = find('search'), sort = find('sort');
  const tabs = [find('tab-pictures'), find('tab-failures')];
  const all = glimpse.entries();
  const pictures = all.filter((entry) => !entry.error), failed = all.filter((entry) => entry.error);
  const number = new Intl.NumberFormat('en');
  let shown = [];   // what the search leaves of the chosen tab, sorted
  let added = 0;    // of them, those on the page
  let terms = [];

  const isFailures = () => tabs[1].getAttribute('aria-selected') === 'true';
  const plain = (text) => text.normalize('NFC').toLowerCase();
  const countOf = (count, one, many) => `${number.format(count)} ${count === 1 ? one : many}`;

  for (const entry of all) entry.text = plain(`${entry.caption ?? `${entry.error.code} ${entry.error.message}`}\n${entry.path}`);

  const confidence = (entry) => entry.confidence ?? -1;
  const orders = {
    input: () => 0,
    sure: (a, b) => confidence(b) - confidence(a),
    unsure: (a, b) => confidence(a) - confidence(b),
    name: (a, b) => a.path.localeCompare(b.path, undefined, {numeric: true}),
  };

  // `text` with what was searched for marked.
  function marked(text) {
    const lower = text.toLowerCase();
    const parts = [];
    let at = 0;
    while (terms.length && lower.length === text.length) {
      const hits = terms.map((term) => [lower.indexOf(term, at), term.length]).filter(([start]) => start >= 0);
      if (!hits.length) break;
      const [start, length] = hits.reduce((a, b) => b[0] < a[0] ? b : a);
      const mark = document.createElement('mark');
      mark.textContent = text.slice(start, start + length);
      parts.push(text.slice(at, start), mark);
      at = start + length;
    }
    return [...parts, text.slice(at)];
  }

  function element(name, className, ...children) {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...children);
    return made;
  }

  function makeCard(entry) {
    const ratio = entry.width / entry.height;
    const image = document.createElement('img');
    image.loading = 'lazy';
    image.decoding = 'async';
    image.alt = '';
    image.width = entry.width;
    image.height = entry.height;
    image.src = glimpse.thumbFile(entry);
    const name = element('bdi', 'name', ...marked(glimpse.baseName(entry.path)));
    name.title = entry.path;
    const sure = element('span', 'number', `${glimpse.percent(entry.confidence ?? NaN)} sure`);
    sure.title = "Confidence: the words' mean probability";
    const link = element('a', '', image, element('span', 'caption', ...marked(entry.caption)), element('span', 'meta muted', name, sure));
    link.href = `#/${entry.n}`;
    link.dataset.n = entry.n;
    const card = element('li', 'card', link);
    card.style.setProperty('--ratio', Math.min(Math.max(ratio, kSteepest), kFlattest));
    return card;
  }

  function makeFailure(entry) {
    return element('li', '', element('bdi', 'path', ...marked(entry.path)), element('span', 'code', entry.error.code),
      element('span', 'message', ...marked(entry.error.message)));
  }

  function addMore() {
    const next = shown.slice(added, added + kAtOnce);
    if (isFailures()) {
      failures.append(...next.map(makeFailure));
    } else {
      gallery.querySelector('.filler')?.remove();
      // The last row is not stretched.
      gallery.append(...next.map(makeCard));
      const filler = element('li', 'filler');
      filler.setAttribute('aria-hidden', 'true');
      gallery.append(filler);
    }
    added += next.length;
  }

  const isNear = () => find('more').getBoundingClientRect().top < 2 * innerHeight;
  function addWhatIsNear() {
    while (added < shown.length && isNear()) addMore();
  }

  function render() {
    terms = plain(search.value).split(/\s+/).filter(Boolean);
    const source = isFailures() ? failed : pictures;
    const by = isFailures() && sort.value !== 'name' ? orders.input : orders[sort.value];
    shown = source.filter((entry) => terms.every((term) => entry.text.includes(term))).sort(by);
    added = 0;
    gallery.replaceChildren();
    failures.replaceChildren();
    gallery.hidden = isFailures();
    failures.hidden = !isFailures();
    find('nothing').hidden = shown.length > 0;
    find('nothing').textContent = !source.length ? (isFailures() ? 'Nothing failed.' : 'There are no pictures yet.')
      : `Nothing matches “${search.value.trim()}”.`;
    addMore();
    addWhatIsNear();
  }

  function announce() {
    find('status').textContent = `${countOf(shown.length, isFailures() ? 'failure' : 'picture', isFailures() ? 'failures' : 'pictures')} shown`;
  }

  function refresh() {
    render();
    announce();
    scrollTo({top: 0});
  }

  function selectTab(tab) {
    for (const other of tabs) {
      other.setAttribute('aria-selected', String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
    }
    find('list').setAttribute('aria-labelledby', tab.id);
    sort.disabled = isFailures();
    search.placeholder = isFailures() ? 'Search names and reasons' : 'Search captions';
    refresh();
  }

  // Left and right go to the neighbour, up and down to the row's nearest.
  function moveFocus(event) {
    const links = [...gallery.querySelectorAll('a')];
    const at = links.indexOf(document.activeElement);
    if (at < 0) return;
    let to = at;
    if (event.key === 'ArrowRight') to = at + 1;
    else if (event.key === 'ArrowLeft') to = at - 1;
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') to = neighbourRow(links, at, event.key === 'ArrowDown' ? 1 : -1);
    else return;
    event.preventDefault();
    links[to]?.focus();
  }

  function neighbourRow(links, at, by) {
    const centre = (box) => box.left + box.width / 2;
    const here = links[at].getBoundingClientRect();
    let best = at, rowTop = null;
    for (let i = at + by; links[i]; i += by) {
      const box = links[i].getBoundingClientRect();
      if (Math.abs(box.top - here.top) < 1) continue;
      rowTop ??= box.top;
      if (Math.abs(box.top - rowTop) >= 1) break;
      const isNearer = best === at ||
        Math.abs(centre(box) - centre(here)) < Math.abs(centre(links[best].getBoundingClientRect()) - centre(here));
      if (isNearer) best = i;
    }
    return best;
  }

  function describeRun() {
    const run = glimpse.info();
    document.title = run?.title || 'Captions';
    find('title').textContent = run?.title || 'Captions';
    const parts = [countOf(pictures.length, 'picture', 'pictures')];
    if (failed.length) parts.push(`${number.format(failed.length)} failed`);
    if (run?.model) parts.push(`captions by ${run.model}`);
    find('summary').textContent = parts.join('  ·  ');
    tabs[0].querySelector('.count').textContent = number.format(pictures.length);
    tabs[1].querySelector('.count').textContent = number.format(failed.length);
    const trouble = glimpse.isDamaged() ? "Not all of this report's data can be read: a file in the folder “glimpse” is missing or was cut short. Resuming the run repairs it."
      : run.complete ? '' : 'This run has not ended, or was cut short: the page shows what there is so far.';
    find('notice').hidden = !trouble;
    find('notice').textContent = trouble;
  }

  describeRun();
  render();
  search.addEventListener('input', refresh);
  sort.addEventListener('change', refresh);
  for (const tab of tabs) {
    tab.addEventListener('click', () => selectTab(tab));
    tab.addEventListener('keydown', (event) => {
      if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
      const other = tabs[tab === tabs[0] ? 1 : 0];
      selectTab(other);
      other.focus();
    });
  }
  gallery.addEventListener('keydown', moveFocus);
  gallery.addEventListener('click', (event) => {
    const link = event.target.closest('a');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    glimpse.viewer.open(glimpse.entry(Number(link.dataset.n)));
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.target.closest('input, dialog')) return;
    event.preventDefault();
    search.focus();
  });
  addEventListener('scroll', addWhatIsNear, {passive: true});
  addEventListener('resize', addWhatIsNear);

  return {
    shown: () => isFailures() ? pictures : shown,
    focus(n) {
      // Opened by its address, it may not be on the page yet.
      const at = shown.findIndex((entry) => entry.n === n);
      while (at >= added) addMore();
      const link = gallery.querySelector(`a[data-n="${n}"]`);
      link?.focus({preventScroll: true});
      link?.scrollIntoView({block: 'nearest'});
    },
  };
})();
glimpse.viewer.start(() => glimpse.gallery.shown());
