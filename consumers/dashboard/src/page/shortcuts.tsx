import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../parts/icon.tsx';
import { LEAVE, navigate, view } from '../session/address.ts';
import { togglePause } from '../session/connection.ts';
import { areShortcutsOn } from '../session/preferences.ts';

export const isHelpOpen = signal(false);

interface Shortcut {
  readonly key: string;
  readonly does: string;
  readonly run: () => void;
}

const SHORTCUTS: readonly Shortcut[] = [
  {
    key: '/',
    does: 'Search the fleet',
    run: () => {
      if (view.peek().view !== 'fleet') navigate(LEAVE);
      requestAnimationFrame(() => document.getElementById('search')?.focus());
    },
  },
  { key: 'f', does: 'Go to the fleet', run: () => navigate(LEAVE) },
  { key: 'm', does: 'Go to the map', run: () => navigate({ ...LEAVE, view: 'map' }) },
  { key: 'p', does: 'Go to the pipeline', run: () => navigate({ ...LEAVE, view: 'pipeline' }) },
  { key: 'q', does: 'Go to the quarantine', run: () => navigate({ ...LEAVE, view: 'quarantine' }) },
  { key: ' ', does: 'Pause or resume, from anywhere but a control', run: togglePause },
  {
    key: '?',
    does: 'Show these',
    run: () => {
      isHelpOpen.value = true;
    },
  },
];

function takesKeys(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest('input, select, textarea, button, a, summary, dialog, [contenteditable]') !== null
  );
}

/** Listens for the page's shortcuts, for as long as the page lives. */
export function startShortcuts(): void {
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && event.target instanceof HTMLInputElement) event.target.blur();
    if (!areShortcutsOn.value || event.ctrlKey || event.metaKey || event.altKey || takesKeys(event.target))
      return;
    const shortcut = SHORTCUTS.find(({ key }) => key === event.key);
    if (shortcut === undefined) return;
    event.preventDefault();
    shortcut.run();
  });
}

const GRID_KEYS: readonly (readonly [string, string])[] = [
  ['↑ ↓', 'Move by a row, in a table that has the focus'],
  ['PgUp PgDn', 'Move by a screen'],
  ['Home End', 'Go to the first or last row'],
  ['Enter', 'Open the row'],
  ['← →', 'On the time slider: go from event to event'],
];

/** What the keyboard can do. */
export function ShortcutHelp() {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = isHelpOpen.value;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  const close = (): void => {
    isHelpOpen.value = false;
  };
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={close}>
      <div class="card-line">
        <h2 id="help-title">Keyboard</h2>
        <button type="button" class="button is-quiet" onClick={close}>
          <Icon name="close" />
          Close
        </button>
      </div>
      <dl class="keys">
        {SHORTCUTS.map(({ key, does }) => (
          <div key={key}>
            <dt>
              <kbd>{key === ' ' ? 'Space' : key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
        {GRID_KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={areShortcutsOn.value}
          onChange={(event) => {
            areShortcutsOn.value = event.currentTarget.checked;
          }}
        />
        Shortcuts of a single key
      </label>
    </dialog>
  );
}
