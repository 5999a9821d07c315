import type { DeviceId, DeviceState } from '@twinstream/device-model';
import type { AuditedState } from './audit-state.ts';

export type StateWriteResult =
  | { readonly outcome: 'written'; readonly writeUnits?: number }
  /** An equal or newer state stands there: success for the writer of an older one. */
  | { readonly outcome: 'superseded'; readonly writeUnits?: number };

export interface StateReadOptions {
  /** Default: true. False costs half and may be a moment old. */
  readonly consistent?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A part of the list of all devices. */
export interface DeviceListQuery {
  /** 1-1,000 devices. */
  readonly limit: number;
  /** As the answer before gave it; opaque. */
  readonly cursor?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface DeviceListAnswer {
  readonly devices: readonly DeviceState[];
  /** Absent at the end. An answer may hold fewer devices than the limit, even none, and still go on. */
  readonly cursor?: string;
}

/** The read model: one item per device, a cache of the fold of its pages. */
export interface LatestStateTable {
  read(deviceId: DeviceId, options?: StateReadOptions): Promise<DeviceState | undefined>;
  /** Writes the state unless one of an equal or later page stands there. */
  write(state: DeviceState, signal?: AbortSignal): Promise<StateWriteResult>;
  /** In no promised order; eventually consistent. Throws `INVALID_CURSOR` for a cursor that is not its own. */
  list(query: DeviceListQuery): Promise<DeviceListAnswer>;
}

/** What a repair found where it is going to write: the page of the item, no item, or one that cannot be read. */
export type ObservedState = number | 'none' | 'damaged';

/** A latest-state table that can be repaired where an item is not the fold of its pages. For operators, not for the projector. */
export interface RepairableLatestState extends LatestStateTable {
  /**
   * Writes the state over an item that is still as it was observed; `changed` where it is not, and must be looked at again.
   * Over a damaged one it writes always. The state must be the fold of all pages: an equal page does not stop it.
   */
  replace(state: DeviceState, observed: ObservedState, signal?: AbortSignal): Promise<'replaced' | 'changed'>;
  /** Everything that stands in the place of a state, what cannot be read included. Reads consistently. */
  audit(deviceId: DeviceId, signal?: AbortSignal): Promise<AuditedState>;
  /** Bytes of the item that the state makes; `bytesMax` is what an item holds. */
  sizeOf(state: DeviceState): { readonly bytes: number; readonly bytesMax: number };
  /** Partition keys of the table, each once; they need not be device ids. Eventually consistent. */
  partitionKeys(signal?: AbortSignal): AsyncIterable<string>;
}
