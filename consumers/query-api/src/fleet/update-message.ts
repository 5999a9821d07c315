import type { DeviceId } from '@twinstream/device-model';
import { isoTime } from '../device-json.ts';
import { type FieldSelection, selectFields } from '../field-selection.ts';
import { rowJson } from './fleet-row.ts';
import type { ShownDevice } from './fleet-rows.ts';
import type { FleetSnapshot } from './fleet-view.ts';

// Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html (read 2026-11). JSON text holds no
// line break, so each message has one line of data.

const whole = new WeakMap<ShownDevice['row'], { readonly liveness: string; readonly text: string }>();

/** The device as it is now. */
export function deviceMessage({ row, liveness }: ShownDevice, fields?: FieldSelection): string {
  if (fields !== undefined) {
    return `event: device\ndata: ${JSON.stringify(selectFields(rowJson(row, liveness), fields))}\n\n`;
  }
  const known = whole.get(row);
  if (known?.liveness === liveness) return known.text;
  const text = `event: device\ndata: ${JSON.stringify(rowJson(row, liveness))}\n\n`;
  whole.set(row, { liveness, text });
  return text;
}

/** These devices are no longer among those that were asked for. */
export function leaveMessage(deviceIds: readonly DeviceId[]): string {
  return `event: leave\ndata: ${JSON.stringify({ deviceIds })}\n\n`;
}

/** Everything up to here has been told; `token` is what a client brings back to go on from here. */
export function syncMessage({ asOf }: FleetSnapshot, token: string): string {
  return `event: sync\nid: ${token}\ndata: ${JSON.stringify({ asOf: isoTime(asOf) })}\n\n`;
}

export function retryMessage(retryMs: number): string {
  return `retry: ${retryMs}\n\n`;
}
