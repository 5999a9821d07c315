import type { DeviceJson, Liveness, PositionJson } from '@twinstream/api-contract';
import { formatVersion, type JsonValue, labelsOf, presentAttributes } from '@twinstream/device-model';
import type { DescribedState } from '@twinstream/event-store';
import type { Position } from '@twinstream/stream-model';
import { hasLeft, type LivenessPolicy, livenessAt } from './liveness.ts';

/** The part of a device's JSON that follows from its state alone. Its liveness depends on the time of asking. */
export type TimelessDeviceJson = Omit<DeviceJson, 'liveness' | 'retired' | 'acknowledged' | 'gapsAgedOut'>;

const DAY_MS = 86_400_000;
/** Of a `Date` (ECMA-262, 21.4.1.1). */
const TIME_MS_MAX = 8.64e15;
/** The day written last. Most times are of one day, and only within it is a time written without a `Date`, in a fifth of the time. */
let day = { number: Number.NaN, text: '' };

/** Throws RangeError for a time that has no such text. */
export function isoTime(timeMs: number): string {
  if (!Number.isInteger(timeMs) || Math.abs(timeMs) > TIME_MS_MAX) return new Date(timeMs).toISOString();
  const number = Math.floor(timeMs / DAY_MS);
  if (number !== day.number) day = { number, text: new Date(number * DAY_MS).toISOString().slice(0, -13) };
  const ms = timeMs - number * DAY_MS;
  const two = (value: number) => (value < 10 ? `0${value}` : `${value}`);
  const seconds = Math.floor(ms / 1_000);
  const clock = `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `${day.text}${clock}.${String(ms % 1_000).padStart(3, '0')}Z`;
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

/** The liveness of a device at `timeMs`, as far as its shards were processed. */
export function stateLiveness(
  state: DescribedState,
  policy: LivenessPolicy,
  timeMs: number,
  processedMs: number | undefined,
): Liveness {
  const { lastArrivalTime } = state;
  const { type } = labelsOf(state);
  return livenessAt(policy, { type, lastArrivalTime, hasLeft: hasLeft(state) }, timeMs, processedMs);
}
