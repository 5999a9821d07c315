import {
  type DeviceState,
  formatVersion,
  type JsonValue,
  labelsOf,
  presentAttributes,
} from '@twinstream/device-model';
import type { Position } from '@twinstream/stream-model';
import { z } from 'zod';
import { type LivenessPolicy, livenessAt, livenessSchema } from './liveness.ts';

export const CONNECTION_STATUSES = ['connected', 'disconnected', 'unknown'] as const;

export const positionSchema = z
  .object({
    shardId: z.string(),
    sequenceNumber: z
      .string()
      .meta({ description: 'Decimal, up to 129 digits. Comparable within one shard only.' }),
    subSequenceNumber: z
      .int()
      .min(0)
      .meta({ description: 'Index inside an aggregated record; 0 in a plain one.' }),
  })
  .meta({ id: 'Position', description: 'Place of one event in the stream.' });

const countSchema = z.int();

export const jsonValueSchema = z.unknown().meta({ description: 'Any JSON value.' });

export const deviceSchema = z
  .object({
    deviceId: z.string(),
    status: z.enum(CONNECTION_STATUSES).meta({ description: 'What the device said of its connection.' }),
    liveness: livenessSchema,
    attributes: z
      .record(z.string(), z.json())
      .meta({ description: 'Values by name; removed attributes are absent.' }),
    attributesFloor: z.string().optional().meta({
      description:
        'Present where the names of the device had become too many: attributes whose newest version (session.counter) is at or below it are not kept, and are in the history alone.',
    }),
    labels: z
      .object({ site: z.string(), type: z.string(), firmware: z.string() })
      .partial()
      .meta({ description: 'Copied from the attributes that bear their names.' }),
    version: z
      .object({ session: z.int(), counter: z.int() })
      .nullable()
      .meta({ description: 'The newest counted event; null while the device never sent one.' }),
    position: positionSchema.nullable().meta({ description: 'Of the event accepted last.' }),
    counts: z
      .object({ events: countSchema, duplicates: countSchema, late: countSchema, gaps: countSchema })
      .meta({
        description: 'Events stored (late ones among them), duplicates dropped, counters still missing.',
      }),
    lastEventTime: z
      .string()
      .nullable()
      .meta({ description: 'Of the newest event, by the clock and in the words of the device.' }),
    lastArrivalTime: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When the device was last heard: arrival in the stream, UTC.' }),
  })
  .meta({ id: 'Device', description: 'State of one device: the fold of everything accepted of it.' });
export type DeviceJson = z.infer<typeof deviceSchema>;

/** The part of a device's JSON that follows from its state alone. Its liveness depends on the time of asking. */
export type TimelessDeviceJson = Omit<DeviceJson, 'liveness'>;

export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

export function positionJson({ shardId, sequenceNumber, subSequenceNumber }: Position) {
  return { shardId, sequenceNumber, subSequenceNumber };
}

export function timelessDeviceJson(state: DeviceState): TimelessDeviceJson {
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

/** State of a device as it is answered, with its liveness at `timeMs`. */
export function deviceJson(state: DeviceState, policy: LivenessPolicy, timeMs: number): DeviceJson {
  const { deviceId, status, ...rest } = timelessDeviceJson(state);
  const liveness = livenessAt(
    policy,
    { type: rest.labels.type, lastArrivalTime: state.lastArrivalTime },
    timeMs,
  );
  return { deviceId, status, liveness, ...rest };
}
