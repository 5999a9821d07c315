import type { ChangedValue, DeviceChanges, DeviceJson } from '@twinstream/api-contract';

/** One moment of a device. Without `device` nothing was known of it then. */
export interface DeviceMoment {
  readonly time: string;
  readonly device: Pick<DeviceJson, 'attributes' | 'status' | 'counts'> | undefined;
}

/** What differs between an earlier and a later moment of one device. */
export function deviceChanges(earlier: DeviceMoment, later: DeviceMoment): DeviceChanges {
  const before = earlier.device?.attributes ?? {};
  const after = later.device?.attributes ?? {};
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const attributes: [string, ChangedValue][] = [];
  for (const name of names) {
    const old = Object.hasOwn(before, name) ? before[name] : undefined;
    const now = Object.hasOwn(after, name) ? after[name] : undefined;
    if (isEqual(old, now)) continue;
    attributes.push([
      name,
      { ...(old === undefined ? {} : { before: old }), ...(now === undefined ? {} : { after: now }) },
    ]);
  }
  const statusBefore = earlier.device?.status ?? 'unknown';
  const statusAfter = later.device?.status ?? 'unknown';
  return {
    from: earlier.device === undefined ? null : earlier.time,
    to: later.time,
    attributes: Object.fromEntries(attributes),
    ...(statusBefore === statusAfter ? {} : { status: { before: statusBefore, after: statusAfter } }),
    events: (later.device?.counts.events ?? 0) - (earlier.device?.counts.events ?? 0),
  };
}

/** Equality of JSON values: members of objects in any order. */
function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const members = new Map(Object.entries(b));
  const entries = Object.entries(a);
  return (
    entries.length === members.size &&
    entries.every(([name, value]) => members.has(name) && isEqual(value, members.get(name)))
  );
}
