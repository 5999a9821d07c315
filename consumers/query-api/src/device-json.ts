import type { DeviceJson, PositionJson } from '@twinstream/api-contract';
import { formatVersion, type JsonValue, labelsOf, presentAttributes } from '@twinstream/device-model';
import type { DescribedState } from '@twinstream/event-store';
import type { Position } from '@twinstream/stream-model';
import { hasLeft, type LivenessPolicy, livenessAt } from './liveness.ts';

/** The part of a device's JSON that follows from its state alone. Its liveness depends on the time of asking. */
export type TimelessDeviceJson = Omit<DeviceJson, 'liveness'>;

export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

export function positionJson({ shardId, sequenceNumber, subSequenceNumber }: Position): PositionJson {
  return { shardId, sequenceNumber, subSequenceNumber };
}

export function timelessDeviceJson(state: DescribedState): TimelessDeviceJson {
  const { session, counter } = state.current;
  const { events, duplicates, late, gaps } = state.counts;
  return {
    deviceId: state.deviceId,
    status: state.status.value,
    attributes: attributesJson(presentAttributes(state)),
    ...(state.attributesFloor === undefined ? {} : { attributesFloor: formatVersion(state.attributesFloor) }),
    labels: labelsOf(state),
    version: session < 0 ? null : { session, counter },
    position: state.position === undefined ? null : positionJson(state.position),
    counts: { events, duplicates, late, gaps },
    lastEventTime: state.lastEventTime?.value ?? null,
    lastArrivalTime: state.lastArrivalTime === undefined ? null : isoTime(state.lastArrivalTime),
  };
}

/** Members are defined, not assigned, so that an attribute named `__proto__` is one like any other. */
function attributesJson(attributes: ReadonlyMap<string, JsonValue>): DeviceJson['attributes'] {
  return Object.fromEntries(attributes) as DeviceJson['attributes'];
}

/** State of a device as it is answered, with its liveness at `timeMs`, as far as its shards were processed. */
export function deviceJson(
  state: DescribedState,
  policy: LivenessPolicy,
  timeMs: number,
  processedMs: number | undefined,
): DeviceJson {
  const { deviceId, status, ...rest } = timelessDeviceJson(state);
  const liveness = livenessAt(
    policy,
    { type: rest.labels.type, lastArrivalTime: state.lastArrivalTime, hasLeft: hasLeft(state) },
    timeMs,
    processedMs,
  );
  return { deviceId, status, liveness, ...rest };
}
