import { refusal } from '@twinstream/command-line';
import { type DeviceId, FOLD_VERSION } from '@twinstream/device-model';
import type { CodedError } from '@twinstream/runtime';
import type { Stores } from '../services.ts';

/** What is stored of a device: its state, whatever else; pages without a state; neither, but other items; or nothing. Items that cannot be read count. */
export type StoredOfDevice = 'state' | 'pages' | 'other-items' | 'nothing';

const NAMED_MAX = 10;

export async function storedOf(
  { eventStore, latestState }: Stores,
  deviceId: DeviceId,
  signal: AbortSignal,
): Promise<StoredOfDevice> {
  if ((await latestState.audit(deviceId, signal)).kind !== 'none') return 'state';
  let others = 0;
  for await (const { kind } of eventStore.auditPages(deviceId, { signal })) {
    if (kind !== 'foreign') return 'pages';
    others += 1;
  }
  const beside = eventStore.auditSnapshots(deviceId, { foldVersion: FOLD_VERSION, signal });
  if (others === 0) for await (const _ of beside) return 'other-items';
  return others > 0 ? 'other-items' : 'nothing';
}

/** Those of the devices of which nothing is stored. */
export async function notStoredAmong(
  stores: Stores,
  deviceIds: readonly DeviceId[],
  signal: AbortSignal,
): Promise<readonly DeviceId[]> {
  const unknown: DeviceId[] = [];
  for (const deviceId of deviceIds) {
    if ((await storedOf(stores, deviceId, signal)) === 'nothing') unknown.push(deviceId);
  }
  return unknown;
}

/** Throws `UNKNOWN_DEVICE` where nothing is stored of some of them. */
export async function refuseUnknown(
  stores: Stores,
  deviceIds: readonly DeviceId[],
  signal: AbortSignal,
): Promise<void> {
  const unknown = await notStoredAmong(stores, deviceIds, signal);
  if (unknown.length > 0) throw unknownDevices(unknown);
}

/** The refusal of devices that are not known; `besides` says where else they are not. */
export function unknownDevices(unknown: readonly DeviceId[], besides?: string): CodedError {
  const others = unknown.length > NAMED_MAX ? ' and others' : '';
  const named = `${unknown.slice(0, NAMED_MAX).join(', ')}${others}`;
  return refusal(
    'UNKNOWN_DEVICE',
    `no events are stored of ${named}${besides === undefined ? '' : `, ${besides}`}`,
  );
}
