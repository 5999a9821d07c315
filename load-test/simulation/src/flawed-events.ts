import { type DeviceEvent, decodeEvent, encodeEvent } from '@twinstream/device-model';
import type { Transform } from '@twinstream/operations';

/** What a broken encoder puts before an event: no decoder takes it, and an operator who knows it takes it away. */
const FLAW = Buffer.from('flaw ');

export function flawed(event: DeviceEvent): Uint8Array {
  return Buffer.concat([FLAW, encodeEvent(event)]);
}

/** The event without the flaw; undefined for what no operator can mend. */
export function mended(data: Uint8Array): Uint8Array | undefined {
  const bytes = Buffer.from(data);
  return bytes.subarray(0, FLAW.length).equals(FLAW) ? bytes.subarray(FLAW.length) : undefined;
}

/** What is an event already was refused, and is tried again as it is. */
export const MEND: Transform = async ({ data }) =>
  mended(data) ?? ('rejected' in decodeEvent(data) ? undefined : data);
