import { type EventVersion, formatVersion, NO_VERSION } from '@twinstream/device-model';

/** A version for people: a dash where the device has not counted yet, so that only the order of arrival tells. */
export function versionText(version: EventVersion): string {
  const isUncounted = version.session === NO_VERSION.session && version.counter === NO_VERSION.counter;
  return isUncounted ? '-' : formatVersion(version);
}
