import type { DeviceEvent } from './device-event.ts';
import type { DeviceState } from './device-state.ts';
import type { Rejection } from './rejection.ts';
import { rejection } from './rejection.ts';

/** What decides whether a correction lies ahead of its device. */
type Reached = Pick<DeviceState, 'current' | 'attributes'>;

/**
 * Why a correction is refused that names an event its device has not come to: its session is a later one than the device's,
 * or its counter is beyond the highest of that session. The version of such an event would win over whatever the device
 * says until it has passed it. Undefined for every other event, and for a correction of what was accepted ahead before:
 * where an attribute that it sets already has that target or a later one, it pins nothing more, and it is the way to put
 * that attribute right.
 */
export function correctionAhead(
  { current, attributes }: Reached,
  { correction, data }: Pick<DeviceEvent, 'correction' | 'data'>,
): Rejection | undefined {
  const target = correction?.corrects;
  if (target === undefined || !isBefore(current, target)) return undefined;
  for (const name of Object.keys(data)) {
    const version = attributes.get(name)?.version;
    if (version !== undefined && !isBefore(version, target)) return undefined;
  }
  const newest =
    current.session < 0 ? 'no counted event yet' : `come to ${current.session}:${current.counter}`;
  return rejection(
    'correction-ahead',
    `corrects ${target.session}:${target.counter}, but the device has ${newest}`,
  );
}

function isBefore(
  a: { readonly session: number; readonly counter: number },
  b: { readonly session: number; readonly counter: number },
): boolean {
  return a.session < b.session || (a.session === b.session && a.counter < b.counter);
}
