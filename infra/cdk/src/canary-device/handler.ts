import { type DeviceId, encodeEvent, readEvent } from '@twinstream/device-model';
import type { LatestStateTable } from '@twinstream/latest-state';
import { type Clock, CodedError, type Logger } from '@twinstream/runtime';

/** Namespace and metric of {@link createCanary}, as they stand in its log. */
export const CANARY_NAMESPACE = 'Twinstream/Canary';
export const STATE_AGE_METRIC = 'stateAgeMs';

export interface CanaryServices {
  readonly deviceId: DeviceId;
  readonly streamName: string;
  readonly states: Pick<LatestStateTable, 'read'>;
  readonly put: (record: { readonly partitionKey: string; readonly data: Uint8Array }) => Promise<void>;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Pick<Logger, 'info'>;
}

/**
 * A device that goes the way of all others: each call first tells how old its state is, then reports once more. The age is the time
 * since the newest report that the state has, milliseconds; between two calls the clock alone makes it grow. Nothing is told while there is
 * no state. Rejects where the state cannot be read or the stream does not take the report.
 */
export function createCanary({ deviceId, streamName, states, put, clock, logger }: CanaryServices) {
  return async (): Promise<void> => {
    const state = await states.read(deviceId);
    const now = clock.now();
    const reportedAt = state?.lastEventTime?.value;
    if (reportedAt !== undefined) {
      const directive = {
        Namespace: CANARY_NAMESPACE,
        Dimensions: [['streamName']],
        Metrics: [{ Name: STATE_AGE_METRIC, Unit: 'Milliseconds' }],
      };
      logger.info(
        {
          streamName,
          [STATE_AGE_METRIC]: now - Date.parse(reportedAt),
          _aws: { Timestamp: now, CloudWatchMetrics: [directive] },
        },
        'canary',
      );
    }
    const event = readEvent({
      v: 1,
      deviceId,
      type: 'reported',
      time: new Date(now).toISOString(),
      data: { purpose: 'canary' },
    });
    if ('rejected' in event) throw new CodedError('INVALID_EVENT', event.detail);
    await put({ partitionKey: deviceId, data: encodeEvent(event) });
  };
}
