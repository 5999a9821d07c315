declare const brand: unique symbol;

/** Name of a device, and the partition key of its events: 1-128 of `A-Z a-z 0-9 . _ : -`. */
export type DeviceId = string & { readonly [brand]: 'DeviceId' };

const DEVICE_ID = /^[A-Za-z0-9._:-]{1,128}$/;

export function isDeviceId(value: unknown): value is DeviceId {
  return typeof value === 'string' && DEVICE_ID.test(value);
}

/** Throws RangeError when `text` is not a legal device id. */
export function deviceId(text: string): DeviceId {
  if (!isDeviceId(text)) throw new RangeError(`not a device id: ${JSON.stringify(text.slice(0, 140))}`);
  return text;
}
