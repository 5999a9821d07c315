import type { DeviceEvent } from './device-event.ts';

const utf8 = new TextEncoder();

/** The event as one JSON object, its members in the order of the wire format, without a line end. */
export function eventText(event: DeviceEvent): string {
  const { identity, data, correction, ...head } = event;
  return JSON.stringify({ ...head, ...identity, ...correction, data });
}

/** The event as it is put into the stream: one line, ended by `\n`. */
export function encodeEvent(event: DeviceEvent): Uint8Array {
  return utf8.encode(`${eventText(event)}\n`);
}
