import { type DeviceId, type DeviceState, newDevice, type ReceiptLimits } from '@twinstream/device-model';
import { catchUp } from '@twinstream/event-store';
import { CodedError } from '@twinstream/runtime';
import type { Stores } from '../../services.ts';

/** The state item of a device; undefined where it is missing or cannot be read. */
export async function stateItem(
  { latestState }: Pick<Stores, 'latestState'>,
  deviceId: DeviceId,
  signal: AbortSignal,
): Promise<DeviceState | undefined> {
  try {
    return await latestState.read(deviceId, { consistent: true, signal });
  } catch (error) {
    if (error instanceof CodedError && error.code === 'DAMAGED_STATE') return undefined;
    throw error;
  }
}

/**
 * The fold of every page of a device, from its state item on: what is stored, also where the item is behind its pages,
 * missing or unreadable. Throws `CHAIN_BROKEN` where a page after it is missing.
 */
export async function chainHead(
  stores: Stores,
  deviceId: DeviceId,
  limits: ReceiptLimits,
  signal: AbortSignal,
): Promise<DeviceState> {
  const item = await stateItem(stores, deviceId, signal);
  return (await catchUp(stores.eventStore, item ?? newDevice(deviceId), { limits, signal })).state;
}
