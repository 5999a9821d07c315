import { ageText } from '../model/age.ts';
import { clockText } from '../model/time-zone.ts';
import { countText } from '../model/value-text.ts';
import { Icon, type IconName } from '../parts/icon.tsx';
import { view, zone } from '../session/address.ts';
import { now } from '../session/clock.ts';
import { asOfShown, heldChanges, isPaused, type Link, link, togglePause } from '../session/connection.ts';
import { unusualLagMs } from '../session/pipeline-session.ts';

/** Data older than this is old, whatever the link says. */
const OLD_MS = 15_000;

const LINK_TEXT: Readonly<Record<Link['kind'], string>> = {
  connecting: 'Connecting',
  live: 'Live',
  polling: 'Polling',
  lost: 'No connection',
  denied: 'Token needed',
};
const LINK_ICON: Readonly<Record<Link['kind'], IconName>> = {
  connecting: 'polling',
  live: 'live',
  polling: 'polling',
  lost: 'lost',
  denied: 'locked',
};

/** Whether what is shown is true now: how the page hears of changes, and as of when. */
export function ConnectionLine() {
  const { kind } = link.value;
  const shownAsOf = asOfShown(view.value.view);
  const isOld = shownAsOf !== undefined && now.value - shownAsOf > OLD_MS;
  const held = heldChanges.value;
  const isLagging = kind === 'live' && unusualLagMs.value !== undefined;
  // Nothing of a past moment moves, however the page hears of changes.
  const isPast = view.value.view === 'past' && (kind === 'live' || kind === 'polling');
  const shown = isPaused.value ? 'paused' : isPast ? 'past' : isLagging ? 'lagging' : kind;
  const text = isPaused.value ? 'Paused' : isPast ? 'Past' : isLagging ? 'Behind' : LINK_TEXT[kind];
  return (
    <div class={`connection is-${shown} ${isOld ? 'is-old' : ''}`}>
      <span class="connection-state" role="status">
        <Icon name={isPaused.value ? 'pause' : isPast || isLagging ? 'lag' : LINK_ICON[kind]} />
        {text}
        {isPaused.value && held > 0 && `, ${countText(held)} changes wait`}
      </span>
      <span class="as-of">
        {view.value.view === 'past'
          ? 'nothing here moves'
          : shownAsOf === undefined
            ? 'nothing read yet'
            : `as of ${clockText(shownAsOf, zone.value)}${isOld ? `, ${ageText(now.value - shownAsOf)} ago` : ''}`}
      </span>
      <button type="button" class="button" aria-pressed={isPaused.value} onClick={togglePause}>
        <Icon name={isPaused.value ? 'play' : 'pause'} />
        <span class="button-text">{isPaused.value ? 'Resume' : 'Pause'}</span>
      </button>
    </div>
  );
}
