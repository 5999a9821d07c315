import { type AttributeFault, attributeFaults, type Item } from '@twinstream/aws/dynamodb';
import type { DeviceState } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { decodeState, encodeState } from './state-item.ts';

/** What stands in the place of a device's state, with all that is wrong with the item itself. */
export type AuditedState =
  | { readonly kind: 'none' }
  | { readonly kind: 'damaged'; readonly fault: string }
  | {
      readonly kind: 'state';
      readonly state: DeviceState;
      /** Attributes that do not follow from the others: those that dashboards read, and foreign ones. */
      readonly faults: readonly AttributeFault[];
    };

export function auditState(item: Item | undefined): AuditedState {
  if (item === undefined) return { kind: 'none' };
  try {
    const state = decodeState(item);
    return { kind: 'state', state, faults: attributeFaults(encodeState(state), item, ['deviceId']) };
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'DAMAGED_STATE') throw error;
    return { kind: 'damaged', fault: error.message };
  }
}
