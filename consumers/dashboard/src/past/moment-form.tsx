import { useEffect, useState } from 'preact/hooks';
import { TIME_WINDOWS } from '../model/time-window.ts';
import { Menu } from '../parts/menu.tsx';
import { navigate } from '../session/address.ts';

/** Before the name of a stretch of time: that long ago. */
const AGO = 'now-';
/** The moment where the address names none. */
export const USUAL_MOMENT = 'now-1h';

/** A moment with its offset: what the API takes for a time, roughly. It has the last word. */
const ABSOLUTE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/;

function isAbsolute(text: string): boolean {
  return ABSOLUTE.test(text) && !Number.isNaN(Date.parse(text));
}

/** Chooses the moment: so long ago, or a time. `resolved`: what the API took the present choice for. */
export function MomentForm({ at, resolved }: { readonly at: string; readonly resolved: string | undefined }) {
  const [time, setTime] = useState(isAbsolute(at) ? at : '');
  useEffect(() => {
    const shown = isAbsolute(at) ? at : resolved;
    if (shown !== undefined) setTime(shown);
  }, [at, resolved]);
  const known = TIME_WINDOWS.some(({ name }) => `${AGO}${name}` === at);
  const isFaulty = time !== '' && !isAbsolute(time);
  return (
    <>
      <label class="choice is-on">
        <span class="choice-label">Moment</span>
        <select value={at} onChange={(event) => navigate({ at: event.currentTarget.value })}>
          {!known && <option value={at}>{isAbsolute(at) ? 'a time' : at}</option>}
          {TIME_WINDOWS.map(({ name, label }) => (
            <option key={name} value={`${AGO}${name}`}>
              {label} ago
            </option>
          ))}
        </select>
      </label>
      <Menu label="Time" icon="lag" isOn={isAbsolute(at)}>
        <form
          class="menu-form"
          aria-label="Time"
          onSubmit={(event) => {
            event.preventDefault();
            if (isAbsolute(time)) navigate({ at: time });
          }}
        >
          <input
            class="input"
            aria-label="Time with its offset"
            aria-invalid={isFaulty}
            placeholder="2026-12-01T05:00:00Z"
            autocomplete="off"
            spellcheck={false}
            value={time}
            onInput={(event) => setTime(event.currentTarget.value.trim())}
          />
          {isFaulty && (
            <p class="field-note is-error" role="alert">
              Write it as 2026-12-01T05:00:00Z.
            </p>
          )}
          <button type="submit" class="button is-accent" disabled={!isAbsolute(time)}>
            Show it
          </button>
        </form>
      </Menu>
    </>
  );
}
