import { usageError } from '@twinstream/command-line';
import { type DeviceId, isDeviceId } from '@twinstream/device-model';

/** A device id as it was written on the command line. Throws `INVALID_USAGE`. */
export function readDeviceId(text: string): DeviceId {
  if (isDeviceId(text)) return text;
  throw usageError(`invalid device id ${JSON.stringify(text)}: expected 1-128 of A-Z a-z 0-9 . _ : -`);
}
