// One picture, opened: its caption as words, and behind each the attention. Its address is #/NUMBER, so that the
// browser's Back closes it.
'use strict';
glimpse.viewer = (() => {
  const kStepMs = 1100;  // a word, while playing
  const kLargest = 3;    // times a picture's own size
  const kNoWords = 'The words of this picture cannot be read: its data file is missing or damaged.';
  const find = (id) => document.getElementById(id);
  const dialog = find('viewer'), photo = find('photo'), canvas = find('heat'), words = find('words');
  const state = {entry: null, details: null, caption: null, chosen: -1, hovered: -1, timer: 0};
  const hint = find('hint').textContent;
  let order = () => [];
  let openedFrom = null;

  const shownWord = () => state.hovered >= 0 ? state.hovered : state.chosen;
  const drawing = () => ({style: dialog.querySelector('input[name=style]:checked').value, smooth: find('smooth').checked});

  function paint() {
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(photo.clientWidth * scale);
    canvas.height = Math.round(photo.clientHeight * scale);
    if (canvas.width && canvas.height && state.details) {
      glimpse.attention.draw(canvas, state.details, state.caption.words[shownWord()], drawing());
    }
  }

  function describe(word) {
    return `${word.word}: probability ${glimpse.percent(Math.exp(word.logProb))}, beta ${betaText(word)}, ` +
      `looks at the ${glimpse.attention.place(state.details, word)}`;
  }

  const betaText = (word) => Number.isFinite(word.beta) ? word.beta.toFixed(2) : '–';
  const setBar = (id, share) => { find(id).style.width = `${100 * Math.min(Math.max(share || 0, 0), 1)}%`; };

  function showReading() {
    const word = state.caption?.words[shownWord()];
    find('reading').classList.toggle('empty', !word);
    find('hint').hidden = Boolean(word);
    find('ramp').classList.toggle('spotlight', drawing().style === 'spotlight');
    if (!word) return;
    const probability = word.logProb === null ? NaN : Math.exp(word.logProb);
    setBar('probability-bar', probability);
    setBar('beta-bar', word.beta);
    find('probability').textContent = glimpse.percent(probability);
    find('beta').textContent = betaText(word);
    find('peak').textContent = `peak ${glimpse.percent(word.peak)}`;
  }

  function update() {
    [...words.children].forEach((element, i) => {
      element.setAttribute('aria-selected', String(i === state.chosen));
      element.classList.toggle('shown', i === shownWord());
      element.tabIndex = i === Math.max(state.chosen, 0) ? 0 : -1;
    });
    showReading();
    paint();
  }

  function choose(index, {focus = false, speak = false} = {}) {
    state.chosen = index;
    state.hovered = -1;
    update();
    if (focus && index >= 0) words.children[index].focus();
    find('spoken').textContent = speak && index >= 0 ? describe(state.caption.words[index]) : '';
  }

  function stop() {
    clearInterval(state.timer);
    state.timer = 0;
    find('play').setAttribute('aria-pressed', 'false');
    find('play').querySelector('span').textContent = 'Play';
  }

  function play() {
    if (state.timer) return stop();
    const count = state.caption?.words.length ?? 0;
    if (!count) return;
    const step = () => {
      if (state.chosen + 1 >= count) return stop();
      choose(state.chosen + 1, {speak: true});
    };
    if (state.chosen + 1 >= count) state.chosen = -1;
    find('play').setAttribute('aria-pressed', 'true');
    find('play').querySelector('span').textContent = 'Pause';
    state.timer = setInterval(step, kStepMs);
    step();
  }

  function makeWord(word, index) {
    const element = document.createElement('span');
    element.className = 'word';
    element.setAttribute('role', 'option');
    element.setAttribute('aria-label', describe(word));
    element.append(word.word);
    const bar = document.createElement('span');
    bar.className = 'bar';
    bar.style.width = `${100 * Math.exp(word.logProb ?? -Infinity)}%`;
    element.append(bar);
    element.addEventListener('pointerenter', (event) => {
      if (event.pointerType !== 'mouse' || state.timer) return;
      state.hovered = index;
      update();
    });
    element.addEventListener('pointerleave', () => {
      if (state.hovered !== index) return;
      state.hovered = -1;
      update();
    });
    element.addEventListener('click', () => {
      stop();
      const again = state.chosen === index;
      choose(again ? -1 : index, {speak: true});
      words.children[index].focus();
    });
    return element;
  }

  function showCaption(index) {
    stop();
    state.caption = state.details.captions[index];
    state.chosen = state.hovered = -1;
    photo.alt = state.caption.text;
    words.replaceChildren(...state.caption.words.map(makeWord));
    find('fact-confidence').textContent = `${glimpse.percent(state.caption.confidence)}, the words' mean`;
    update();
  }

  function makeCandidate(caption, index) {
    const label = document.createElement('label');
    const input = document.createElement('input');
    const text = document.createElement('span');
    const number = document.createElement('span');
    input.type = 'radio';
    input.name = 'candidate';
    input.checked = index === 0;
    input.addEventListener('change', () => showCaption(index));
    text.textContent = caption.text;
    number.className = 'muted number';
    number.textContent = glimpse.percent(caption.confidence);
    label.append(input, text, number);
    return label;
  }

  async function showDetails(entry) {
    if (words.contains(document.activeElement)) words.focus();
    words.replaceChildren();
    state.details = state.caption = null;
    let details;
    try {
      details = await glimpse.details(entry.n);
    } catch {
      if (state.entry !== entry) return;
      words.textContent = entry.caption;
      find('hint').textContent = kNoWords;
      return;
    }
    if (state.entry !== entry) return;
    state.details = details;
    find('hint').textContent = hint;
    const list = find('candidates');
    list.replaceChildren(list.querySelector('legend'), ...details.captions.map(makeCandidate));
    list.hidden = details.captions.length < 2;
    showCaption(0);
    if (document.activeElement === words) words.children[0]?.focus();
  }

  function show(entry) {
    stop();
    state.entry = entry;
    state.chosen = state.hovered = -1;
    photo.removeAttribute('src');
    photo.width = entry.width;
    photo.height = entry.height;
    dialog.style.setProperty('--ratio', entry.width / entry.height);
    dialog.style.setProperty('--largest', `${kLargest * entry.width}px`);
    photo.src = glimpse.pictureFile(entry);
    photo.alt = entry.caption;
    const name = document.createElement('bdi');
    name.textContent = glimpse.baseName(entry.path);
    find('viewer-name').replaceChildren(name);
    const path = document.createElement('bdi');
    path.textContent = entry.path;
    find('fact-file').replaceChildren(path);
    find('fact-size').textContent = `${entry.width} × ${entry.height}`;
    find('candidates').hidden = true;
    const at = order().indexOf(entry);
    find('viewer-place').textContent = at >= 0 ? `${at + 1} of ${order().length}` : '';
    find('previous').disabled = at <= 0;
    find('next').disabled = at < 0 || at + 1 >= order().length;
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    showReading();
    return showDetails(entry);
  }

  function hide() {
    stop();
    state.entry = null;
    if (dialog.open) dialog.close();
    glimpse.gallery.focus(openedFrom);
  }

  // Opening adds to the browser's history, going from picture to picture does not: Back closes.
  function close() {
    if (history.state?.opened) history.back();
    else {
      history.replaceState(null, '', location.pathname + location.search);
      follow();
    }
  }

  function turn(by) {
    const list = order();
    const entry = list[list.indexOf(state.entry) + by];
    if (!entry || !list.includes(state.entry)) return;
    history.replaceState(history.state, '', `#/${entry.n}`);
    follow();
  }

  function follow() {
    const match = /^#\/(\d+)$/.exec(location.hash);
    const entry = match && glimpse.entry(Number(match[1]));
    if (entry && !entry.error) {
      openedFrom = entry.n;
      if (entry !== state.entry) show(entry);
    } else if (dialog.open) {
      hide();
    }
  }

  function move(event) {
    const count = words.children.length;
    const last = count - 1;
    const targets = {ArrowLeft: Math.max(state.chosen - 1, 0), ArrowRight: Math.min(state.chosen + 1, last), Home: 0, End: last};
    if (!count || !state.caption || !(event.key in targets)) return false;
    stop();
    choose(targets[event.key], {focus: true});
    return true;
  }

  function onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const inControl = event.target.closest('input, select');
    const onButton = event.target.closest('button');
    let done = true;
    if (event.key === 'PageUp') turn(-1);
    else if (event.key === 'PageDown') turn(1);
    else if (inControl) done = false;
    else if (event.key === ' ' && !onButton) play();
    else if (event.key === 'Enter' && event.target.closest('.word')) event.target.click();
    else done = move(event);
    if (done) event.preventDefault();
  }

  function start(shownOrder) {
    order = shownOrder;
    dialog.addEventListener('keydown', onKey);
    dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      close();
    });
    find('close').addEventListener('click', close);
    find('previous').addEventListener('click', () => turn(-1));
    find('next').addEventListener('click', () => turn(1));
    find('play').addEventListener('click', play);
    for (const control of [find('style'), find('smooth')]) control.addEventListener('change', update);
    photo.addEventListener('load', paint);
    new ResizeObserver(paint).observe(photo);
    window.addEventListener('popstate', follow);
    window.addEventListener('hashchange', follow);
    follow();
  }

  function open(entry) {
    history.pushState({opened: true}, '', `#/${entry.n}`);
    follow();
  }

  return {start, open};
})();
