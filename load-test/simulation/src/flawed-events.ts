import type { Transform } from '@twinstream/projection';
import { fleetDecoder } from './foreign-fleet.ts';

/** What a broken encoder puts before an event: no decoder takes it, and an operator who knows it takes it away. */
const FLAW = Buffer.from('flaw ');

export function flawed(data: Uint8Array): Uint8Array {
  return Buffer.concat([FLAW, data]);
}

/** The event without the flaw; undefined for what no operator can mend. */
export function mended(data: Uint8Array): Uint8Array | undefined {
  const bytes = Buffer.from(data);
  return bytes.subarray(0, FLAW.length).equals(FLAW) ? bytes.subarray(FLAW.length) : undefined;
}

/** What is an event already was refused, and is tried again as it is. */
export const MEND: Transform = async (entry, { arrivalTime }) =>
  mended(entry.data) ??
  (fleetDecoder(2).decode(entry, arrivalTime).rejection === undefined ? entry.data : undefined);
