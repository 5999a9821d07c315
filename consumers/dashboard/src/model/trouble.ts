import type { DeviceJson } from '@twinstream/api-contract';

/** Why a device needs a look, in words; empty where it does not. The API filters and counts by the same rule. */
export function troublesOf(device: Pick<DeviceJson, 'status' | 'liveness' | 'counts'>): readonly string[] {
  const troubles: string[] = [];
  if (device.liveness === 'offline' && device.status !== 'disconnected') {
    troubles.push('silent: offline without a disconnect message');
  }
  if (device.counts.gaps > 0) {
    troubles.push(
      `${device.counts.gaps} ${device.counts.gaps === 1 ? 'event has' : 'events have'} never arrived`,
    );
  }
  return troubles;
}
