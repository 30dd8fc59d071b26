// Light or dark: as the system is, unless the reader chose otherwise. Runs before anything is drawn.
'use strict';
(() => {
  const root = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const key = 'glimpse-theme';
  const isDark = () => root.dataset.theme ? root.dataset.theme === 'dark' : system.matches;

  const show = () => document.getElementById('theme').setAttribute('aria-pressed', String(isDark()));

  // A browser may refuse to keep anything for a page from disk.
  try {
    const chosen = localStorage.getItem(key);
    if (chosen === 'light' || chosen === 'dark') root.dataset.theme = chosen;
  } catch { /* then it is as the system is */ }

  document.addEventListener('DOMContentLoaded', () => {
    show();
    system.addEventListener('change', show);
    document.getElementById('theme').addEventListener('click', () => {
      const chosen = isDark() ? 'light' : 'dark';
      const isSystems = (chosen === 'dark') === system.matches;
      if (isSystems) delete root.dataset.theme;
      else root.dataset.theme = chosen;
      try {
        if (isSystems) localStorage.removeItem(key);
        else localStorage.setItem(key, chosen);
      } catch { /* it holds for this visit */ }
      show();
    });
  });
})();
