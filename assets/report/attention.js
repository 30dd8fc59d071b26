// Draws attention over a picture: every cell of the map on exactly the pixels that it covers.
'use strict';
glimpse.attention = (() => {
  // Inferno, as OpenCV has it, in eleven stops.
  const kStops = ['000004', '160b39', '420a68', '6a176e', '932667', 'bc3754', 'dd513a', 'f37819', 'fca50a', 'f6d746', 'fcffa4']
    .map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  const kHeat = 0.65;   // opacity at the peak
  const kShade = 0.82;  // of what lies in the dark
  const kUnseen = 0.45; // of what the model was not shown

  function inferno(share) {
    const at = share * (kStops.length - 1);
    const i = Math.min(Math.floor(at), kStops.length - 2);
    return kStops[i].map((value, c) => value + (kStops[i + 1][c] - value) * (at - i));
  }

  // Opacity follows attention, so that the photo stays visible.
  const styles = {
    heat: (share) => [...inferno(share), kHeat * share],
    spotlight: (share) => [0, 0, 0, kShade * (1 - share) ** 1.5],
  };

  const tables = Object.fromEntries(Object.entries(styles).map(
    ([name, style]) => [name, Array.from({length: 256}, (_, value) => style(value / 255))]));

  // The map's values, 0..255 where 255 is the word's peak.
  const decode = (word) => Uint8Array.from(atob(word.map), (c) => c.charCodeAt(0));

  // Where `count` cells begin along an axis of `pixels`, and where the last one ends; within the picture.
  const edges = (start, extent, count, pixels) => Array.from({length: count + 1},
    (_, i) => Math.round(Math.min(Math.max(start + extent * i / count, 0), 1) * pixels));

  function drawCells(context, values, table, x, y) {
    const cols = x.length - 1;
    values.forEach((value, i) => {
      const [r, g, b, a] = table[value];
      const col = i % cols, row = Math.floor(i / cols);
      context.fillStyle = `rgb(${r} ${g} ${b} / ${a})`;
      context.fillRect(x[col], y[row], x[col + 1] - x[col], y[row + 1] - y[row]);
    });
  }

  function drawSmooth(context, values, table, details, width, height) {
    const small = document.createElement('canvas');
    small.width = details.cols;
    small.height = details.rows;
    const image = new ImageData(details.cols, details.rows);
    values.forEach((value, i) => {
      const [r, g, b, a] = table[value];
      image.data.set([r, g, b, 255 * a], 4 * i);
    });
    small.getContext('2d').putImageData(image, 0, 0);
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = 'high';
    const [left, top, across, down] = details.frame;
    context.drawImage(small, left * width, top * height, across * width, down * height);
  }

  // What the model was not shown: beside a crop.
  function drawUnseen(context, x, y, opacity) {
    const {width, height} = context.canvas;
    const right = x[x.length - 1], bottom = y[y.length - 1];
    context.fillStyle = `rgb(0 0 0 / ${opacity})`;
    context.fillRect(0, 0, width, y[0]);
    context.fillRect(0, bottom, width, height - bottom);
    context.fillRect(0, y[0], x[0], bottom - y[0]);
    context.fillRect(right, y[0], width - right, bottom - y[0]);
  }

  function draw(canvas, details, word, {style, smooth}) {
    const context = canvas.getContext('2d');
    const {width, height} = canvas;
    context.clearRect(0, 0, width, height);
    if (!word) return;
    const [left, top, across, down] = details.frame;
    const x = edges(left, across, details.cols, width);
    const y = edges(top, down, details.rows, height);
    const values = decode(word);
    if (smooth) drawSmooth(context, values, tables[style], details, width, height);
    else drawCells(context, values, tables[style], x, y);
    drawUnseen(context, x, y, style === 'spotlight' ? kShade : kUnseen);
  }

  // Where the peak lies, for people who do not see it.
  function place(details, word) {
    const values = decode(word);
    const peak = values.indexOf(Math.max(...values));
    const [left, top, across, down] = details.frame;
    const x = left + across * (peak % details.cols + 0.5) / details.cols;
    const y = top + down * (Math.floor(peak / details.cols) + 0.5) / details.rows;
    const third = (at) => Math.min(Math.max(Math.floor(3 * at), 0), 2);
    const row = ['upper', 'middle', 'lower'][third(y)], col = ['left', 'centre', 'right'][third(x)];
    return row === 'middle' && col === 'centre' ? 'centre' : `${row} ${col}`;
  }

  return {draw, place, decode};
})();
