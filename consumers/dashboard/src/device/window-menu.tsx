import { useEffect, useState } from 'preact/hooks';
import { Menu } from '../parts/menu.tsx';
import { navigate, parameters } from '../session/address.ts';

/** Shows a stretch of time. Milliseconds since 1970. */
export function showWindow(fromMs: number, toMs: number): void {
  navigate({ from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() }, 'replace');
}

/** The window by its ends, and how to leave it. Dragging over a plot does the same. */
export function WindowMenu({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }) {
  const isChosen = parameters.value.has('from');
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  useEffect(() => {
    setFrom(new Date(fromMs).toISOString());
    setTo(new Date(toMs).toISOString());
  }, [parameters.value.get('from'), parameters.value.get('to')]);
  const [start, end] = [Date.parse(from), Date.parse(to)];
  const fault =
    Number.isNaN(start) || Number.isNaN(end)
      ? 'Write both as 2026-12-01T05:00:00Z.'
      : end <= start
        ? 'It must end after it begins.'
        : undefined;
  const span = toMs - fromMs;
  return (
    <>
      <Menu label="Window" icon="lag" isOn={isChosen}>
        <form
          class="menu-form"
          aria-label="Window"
          onSubmit={(event) => {
            event.preventDefault();
            if (fault === undefined) showWindow(start, end);
          }}
        >
          <input
            class="input"
            aria-label="From"
            value={from}
            onInput={(event) => setFrom(event.currentTarget.value)}
          />
          <input
            class="input"
            aria-label="To"
            value={to}
            onInput={(event) => setTo(event.currentTarget.value)}
          />
          {fault !== undefined && (
            <p class="field-note is-error" role="alert">
              {fault}
            </p>
          )}
          <button type="submit" class="button is-accent" disabled={fault !== undefined}>
            Show it
          </button>
          <button type="button" class="button" onClick={() => showWindow(fromMs + span / 4, toMs - span / 4)}>
            Zoom in
          </button>
        </form>
      </Menu>
      {isChosen && (
        <button type="button" class="button" onClick={() => navigate({ from: null, to: null }, 'replace')}>
          Whole window
        </button>
      )}
    </>
  );
}
