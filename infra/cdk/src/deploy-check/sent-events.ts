import type { KinesisClientConfig } from '@aws-sdk/client-kinesis';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { type DeviceEvent, type DeviceId, deviceId, encodeEvent, readEvent } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { createStreamProducer, kinesisTransport } from '@twinstream/stream-producer';

const DEVICES = 20;
const EVENTS_A_DEVICE = 25;
const PUT_MS_MAX = 30_000;
const FIRST_TIME = Date.UTC(2026, 10, 23, 8);
/** One poison record, which must reach quarantine without blocking others. */
const POISON = { partitionKey: 'broken', data: Buffer.from('{"v":1,"deviceId":') };

/** What was sent, in words that the stores can be held to. */
export interface SentEvents {
  readonly deviceIds: readonly DeviceId[];
  readonly eventsADevice: number;
  readonly recordCount: number;
  readonly poisonCount: number;
  /** The reading that the last event of a device set. */
  readonly lastReading: number;
}

const NOTHING: Pick<SentEvents, 'eventsADevice' | 'recordCount' | 'poisonCount'> = {
  eventsADevice: 0,
  recordCount: 0,
  poisonCount: 0,
};

/**
 * Puts events of some devices, and one broken record, with the project's own producer; devices go on where they were. Returns all that was
 * sent since the first. Throws when any is not taken.
 */
export async function sendEvents(
  streamName: string,
  client: KinesisClientConfig,
  before: Pick<SentEvents, 'eventsADevice' | 'recordCount' | 'poisonCount'> = NOTHING,
): Promise<SentEvents> {
  const kinesis = kinesisClient({ ...client, maxAttempts: 1 });
  const producer = await createStreamProducer({
    transport: kinesisTransport({ streamName, client: kinesis }),
    deadlineMs: PUT_MS_MAX,
  });
  const deviceIds = Array.from({ length: DEVICES }, (_, n) => deviceId(`check-${n}`));
  const eventsADevice = before.eventsADevice + EVENTS_A_DEVICE;
  for (let counter = before.eventsADevice; counter < eventsADevice; counter += 1) {
    for (const id of deviceIds) {
      await producer.put({ partitionKey: id, data: encodeEvent(reading(id, counter)) });
    }
  }
  await producer.put(POISON);
  const { failed } = await producer.close();
  kinesis.destroy();
  if (failed.length > 0) {
    throw new CodedError('EVENTS_NOT_TAKEN', `the stream did not take ${failed.length} records`, {
      cause: failed[0]?.reason,
    });
  }
  return {
    deviceIds,
    eventsADevice,
    recordCount: before.recordCount + DEVICES * EVENTS_A_DEVICE + 1,
    poisonCount: before.poisonCount + 1,
    lastReading: eventsADevice - 1,
  };
}

function reading(id: DeviceId, counter: number): DeviceEvent {
  const event = readEvent({
    v: 1,
    deviceId: id,
    type: 'reported',
    time: new Date(FIRST_TIME + counter * 1_000).toISOString(),
    session: 1,
    counter,
    data: { reading: counter, site: 'depot' },
  });
  if ('rejected' in event) throw new CodedError('INVALID_EVENT', event.detail);
  return event;
}
