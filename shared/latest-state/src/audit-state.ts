import { type AttributeFault, attributeFaults, type Item } from '@twinstream/aws/dynamodb';
import type { DeviceState } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { decodeState, encodeState, repeatedAttributes } from './state-item.ts';

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
    const faults = attributeFaults(encodeState(state), item, ['deviceId']);
    return {
      kind: 'state',
      state,
      faults: faults.filter(({ attribute }) => !isRepeated(state, item, attribute)),
    };
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'DAMAGED_STATE') throw error;
    return { kind: 'damaged', fault: error.message };
  }
}

/** True where an attribute says what another one says, too, as in items that were written before 2026-12. */
function isRepeated(state: DeviceState, item: Item, attribute: string): boolean {
  const repeated = new Map(Object.entries(repeatedAttributes(state))).get(attribute);
  const found = item[attribute];
  if (repeated === undefined || found === undefined) return false;
  return attributeFaults({ [attribute]: repeated }, { [attribute]: found }).length === 0;
}
