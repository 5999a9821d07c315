import { ageText } from '../model/age.ts';
import { exactMomentText, momentText } from '../model/time-zone.ts';
import { zone } from '../session/address.ts';
import { now } from '../session/clock.ts';

/** Milliseconds since 1970, or ISO 8601 as the API writes it. */
export type Time = number | string;

function msOf(time: Time): number {
  return typeof time === 'string' ? Date.parse(time) : time;
}

/** How long ago something was; ticks. Null: it never was. */
export function Age({ time: given }: { readonly time: Time | null }) {
  if (given === null) return <span class="muted">never</span>;
  const time = msOf(given);
  return (
    <time class="age" dateTime={new Date(time).toISOString()} title={exactMomentText(time, zone.value)}>
      {ageText(now.value - time)}
    </time>
  );
}

/** A moment in the zone of the page. */
export function Moment({ time: given, exact = false }: { readonly time: Time; readonly exact?: boolean }) {
  const time = msOf(given);
  return (
    <time class="moment" dateTime={new Date(time).toISOString()}>
      {exact ? exactMomentText(time, zone.value) : momentText(time, zone.value)}
    </time>
  );
}
