import {
  type ArrivedEvent,
  type DeviceId,
  decodeEvent,
  deviceId,
  type EventKey,
  type JsonObject,
  KEY_CHARACTERS,
  KEY_WINDOW_EVENTS,
  keyMember,
} from '@twinstream/device-model';
import { type ShardId, sequenceNumber, shardId } from '@twinstream/stream-model';
import { TEST_TIME_MS } from './virtual-clock.ts';

/** What a test says of an event; everything else is filled in. */
export interface EventFields {
  readonly deviceId?: string;
  readonly type?: string;
  readonly time?: string;
  readonly session?: number;
  readonly counter?: number;
  readonly data?: JsonObject;
  readonly correctionId?: string;
  readonly corrects?: JsonObject;
  /** A key as a mapping puts it into an event, by any name, within the default window where nothing else is said. */
  readonly key?: Partial<EventKey> | undefined;
  /** Place in the shard: a small number stands for a sequence number of the usual length. */
  readonly at: number;
  readonly sub?: number;
  /** Milliseconds since 1970. Default: {@link TEST_TIME_MS} and `at` seconds. */
  readonly arrivalTime?: number;
}

export const DEVICE: DeviceId = deviceId('bus-2619');
export const SHARDS: readonly [ShardId, ShardId, ShardId] = [
  shardId('shardId-000000000000'),
  shardId('shardId-000000000001'),
  shardId('shardId-000000000002'),
];

/** A sequence number of 56 digits, as a stream gives them: they rise with `at`, not by one. */
export function testSequenceNumber(at: number) {
  return sequenceNumber(
    (49_590_338_271_490_256_608_559_692_538_361_571_095n * 10n ** 17n + BigInt(at) * 2n ** 68n).toString(),
  );
}

function sourceOf({ key = '', eventsMax = KEY_WINDOW_EVENTS, ...within }: Partial<EventKey>): object {
  return keyMember({ key: key.padEnd(KEY_CHARACTERS, '_'), eventsMax, ...within });
}

/** An event as it arrives, through the same decoding as in production. Throws TypeError when it is not valid. */
export function arrivedEvent(fields: EventFields): ArrivedEvent {
  const { at, sub = 0, arrivalTime = TEST_TIME_MS + at * 1_000, key, ...said } = fields;
  const corrected = said.correctionId === undefined ? {} : { reason: 'a test', actor: 'a tester' };
  const text = JSON.stringify({
    v: 1,
    deviceId: DEVICE,
    type: said.correctionId === undefined ? 'reported' : 'corrected',
    time: new Date(arrivalTime).toISOString(),
    ...(key === undefined ? {} : { mapping: { name: 'test', version: 1 }, source: sourceOf(key) }),
    data: { speedMph: at },
    ...corrected,
    ...said,
  });
  const decoded = decodeEvent(new TextEncoder().encode(text));
  if ('rejected' in decoded) throw new TypeError(`${decoded.rejected}: ${decoded.detail}`);
  return {
    place: { sequenceNumber: testSequenceNumber(at), subSequenceNumber: sub },
    arrivalTime,
    ...decoded,
  };
}
