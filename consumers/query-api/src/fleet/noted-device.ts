import type { DeviceJson, Liveness } from '@twinstream/api-contract';
import { NOTE } from '@twinstream/table-generation/annotations';
import type { TimelessDeviceJson } from '../device-json.ts';
import { acknowledgedTroubles, troubleIndexOf } from './trouble.ts';

/** A device as it is answered: what follows from its state, its liveness, and what operators said of it. */
export function notedJson(device: TimelessDeviceJson, liveness: Liveness, notes: number): DeviceJson {
  const { deviceId, status, ...rest } = device;
  const plain = { deviceId, status, liveness, ...rest };
  if (notes === 0) return plain;
  const acknowledged = acknowledgedTroubles(troubleIndexOf(device, liveness, notes));
  return {
    ...plain,
    ...((notes & NOTE.retired) === 0 ? {} : { retired: true }),
    ...(acknowledged.length === 0 ? {} : { acknowledged }),
    ...((notes & NOTE.gapsAgedOut) === 0 ? {} : { gapsAgedOut: true }),
  };
}
