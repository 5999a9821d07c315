import { effect, signal } from '@preact/signals';
import { keep, readKept } from '../kept.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

// public/theme.js reads the same key before the first paint.
const THEME_KEY = 'twinstream.theme';
const SHORTCUTS_KEY = 'twinstream.shortcuts';

const stored = readKept('localStorage', THEME_KEY);

export const theme = signal<Theme>(THEMES.find((one) => one === stored) ?? 'system');
/** Shortcuts of a single key can be turned off (WCAG 2.1.4). */
export const areShortcutsOn = signal(readKept('localStorage', SHORTCUTS_KEY) !== 'off');
/** Rises when colours change, by choice or by the system's: canvases redraw. */
export const paletteVersion = signal(0);

/** Applies and keeps what the viewer chooses, for as long as the page lives. */
export function startPreferences(): void {
  effect(() => {
    const root = document.documentElement;
    if (theme.value === 'system') delete root.dataset.theme;
    else root.dataset.theme = theme.value;
    keep('localStorage', THEME_KEY, theme.value === 'system' ? undefined : theme.value);
    paletteVersion.value = paletteVersion.peek() + 1;
  });
  effect(() => {
    keep('localStorage', SHORTCUTS_KEY, areShortcutsOn.value ? undefined : 'off');
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    paletteVersion.value = paletteVersion.peek() + 1;
  });
}
