import { effect, signal } from '@preact/signals';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

// public/theme.js reads the same key before the first paint.
const THEME_KEY = 'twinstream.theme';
const SHORTCUTS_KEY = 'twinstream.shortcuts';

const stored = localStorage.getItem(THEME_KEY);

export const theme = signal<Theme>(THEMES.find((one) => one === stored) ?? 'system');
/** Shortcuts of a single key can be turned off (WCAG 2.1.4). */
export const areShortcutsOn = signal(localStorage.getItem(SHORTCUTS_KEY) !== 'off');
/** Rises when colours change, by choice or by the system's: canvases redraw. */
export const paletteVersion = signal(0);

/** Applies and keeps what the viewer chooses, for as long as the page lives. */
export function startPreferences(): void {
  effect(() => {
    const root = document.documentElement;
    if (theme.value === 'system') {
      delete root.dataset.theme;
      localStorage.removeItem(THEME_KEY);
    } else {
      root.dataset.theme = theme.value;
      localStorage.setItem(THEME_KEY, theme.value);
    }
    paletteVersion.value = paletteVersion.peek() + 1;
  });
  effect(() => {
    if (areShortcutsOn.value) localStorage.removeItem(SHORTCUTS_KEY);
    else localStorage.setItem(SHORTCUTS_KEY, 'off');
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    paletteVersion.value = paletteVersion.peek() + 1;
  });
}
