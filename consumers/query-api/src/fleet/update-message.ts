import type { SelectedDevice, Updates } from '@twinstream/api-contract';
import type { DeviceId } from '@twinstream/device-model';
import { isoTime } from '../device-json.ts';
import { type FieldSelection, selectFields } from '../field-selection.ts';
import { rowJson } from './fleet-row.ts';
import type { ShownDevice } from './fleet-rows.ts';
import type { FleetSnapshot } from './fleet-view.ts';

// Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html (read 2026-11). JSON text holds no
// line break, so each message has one line of data.

const whole = new WeakMap<
  ShownDevice['row'],
  { readonly liveness: string; readonly notes: number; readonly text: string }
>();

/** A message of the contract's type; of a device, the members that were selected. */
function message<Name extends keyof Updates>(
  event: Name,
  data: Name extends 'device' ? SelectedDevice : Updates[Name],
  id?: string,
): string {
  return `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** The device as it is now. */
export function deviceMessage({ row, liveness, notes }: ShownDevice, fields?: FieldSelection): string {
  if (fields !== undefined) return message('device', selectFields(rowJson(row, liveness, notes), fields));
  const known = whole.get(row);
  if (known !== undefined && known.liveness === liveness && known.notes === notes) return known.text;
  const text = message('device', rowJson(row, liveness, notes));
  whole.set(row, { liveness, notes, text });
  return text;
}

/** These devices are no longer among those that were asked for. */
export function leaveMessage(deviceIds: readonly DeviceId[]): string {
  return message('leave', { deviceIds: [...deviceIds] });
}

/** Everything up to here has been told; `token` is what a client brings back to go on from here. */
export function syncMessage({ asOf }: FleetSnapshot, token: string): string {
  return message('sync', { asOf: isoTime(asOf) }, token);
}

export function retryMessage(retryMs: number): string {
  return `retry: ${retryMs}\n\n`;
}
