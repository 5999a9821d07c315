import type { DeviceId, StoredEvent } from '@twinstream/device-model';
import type { ShardId } from '@twinstream/stream-model';

/** A stretch of one device's history, by arrival, in chain order. */
export interface HistoryQuery {
  readonly deviceId: DeviceId;
  /** Arrivals from here, included; milliseconds since 1970. */
  readonly from?: number;
  /** Arrivals before here, excluded; milliseconds since 1970. */
  readonly to?: number;
  readonly order?: 'ascending' | 'descending';
  /** 1-1,000 events. */
  readonly limit: number;
  /** Where the answer before ended. */
  readonly cursor?: HistoryCursor;
  readonly signal?: AbortSignal | undefined;
}

/** The event at which the next answer begins. */
export interface HistoryCursor {
  readonly arrivalMaxBefore: number;
  readonly page: number;
  /** Index of the event in its page. */
  readonly index: number;
}

export interface HistoryEvent extends StoredEvent {
  readonly shardId: ShardId;
  readonly page: number;
}

export interface HistoryAnswer {
  readonly events: readonly HistoryEvent[];
  /** Absent at the end. */
  readonly cursor?: HistoryCursor;
}
