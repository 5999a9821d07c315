import { useRef } from 'preact/hooks';
import { keepToken } from '../api/request.ts';
import { clockText } from '../model/time-zone.ts';
import { Icon } from '../parts/icon.tsx';
import { view, zone } from '../session/address.ts';
import { now } from '../session/clock.ts';
import { asOfShown, link, revalidate, tryAgain } from '../session/connection.ts';

function TokenForm({ detail }: { readonly detail: string }) {
  const field = useRef<HTMLInputElement>(null);
  return (
    <form
      class="banner is-denied"
      aria-label="Access"
      onSubmit={(event) => {
        event.preventDefault();
        keepToken(field.current?.value ?? '');
        tryAgain();
      }}
    >
      <Icon name="locked" />
      <label>
        The API asks for an access token. <span class="muted">{detail}</span>
        <input ref={field} type="password" autocomplete="off" required />
      </label>
      <button type="submit" class="button is-accent">
        Use it in this tab
      </button>
    </form>
  );
}

/** Says over the content when it is not what it seems: old, or barred. */
export function LinkBanner() {
  const state = link.value;
  if (state.kind === 'denied') return <TokenForm detail={state.detail} />;
  if (state.kind !== 'lost') return null;
  const shownAsOf = asOfShown(view.value.view);
  const { retryTime } = state;
  const waitSeconds = retryTime === undefined ? 0 : Math.max(0, Math.ceil((retryTime - now.value) / 1_000));
  return (
    <section class="banner is-lost" aria-label="Connection">
      <Icon name="lost" />
      <p>
        <strong role="alert">The API does not answer.</strong>{' '}
        {shownAsOf === undefined
          ? 'Nothing has been read yet.'
          : `What you see is as of ${clockText(shownAsOf, zone.value)} and may have changed.`}{' '}
        <span class="muted">{waitSeconds > 0 ? `Trying again in ${waitSeconds} s.` : 'Trying again.'}</span>
      </p>
      <button type="button" class="button" onClick={revalidate}>
        Try now
      </button>
    </section>
  );
}
