import { ageText } from '../model/age.ts';
import { exactMomentText, momentText } from '../model/time-zone.ts';
import { zone } from '../session/address.ts';
import { now } from '../session/clock.ts';

/** How long ago something was; ticks. */
export function Age({ time }: { readonly time: number | undefined }) {
  if (time === undefined) return <span class="muted">never</span>;
  return (
    <time class="age" dateTime={new Date(time).toISOString()} title={exactMomentText(time, zone.value)}>
      {ageText(now.value - time)}
    </time>
  );
}

/** A moment in the zone of the page. */
export function Moment({ time, exact = false }: { readonly time: number; readonly exact?: boolean }) {
  return (
    <time class="moment" dateTime={new Date(time).toISOString()}>
      {exact ? exactMomentText(time, zone.value) : momentText(time, zone.value)}
    </time>
  );
}
