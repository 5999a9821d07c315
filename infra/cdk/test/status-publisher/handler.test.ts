import type { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { createLogger } from '@twinstream/runtime';
import { expect, test } from 'vitest';
import { createStatusPublisher } from '../../src/status-publisher/handler.ts';
import type { StatusChange } from '../../src/status-publisher/status-change.ts';

type Image = { readonly status: string; readonly version?: string; readonly site?: string };

const image = ({ status, version = '1.1.0', site }: Image) => ({
  status: { S: status },
  statusVersion: { S: version },
  ...(site === undefined ? {} : { site: { S: site } }),
});

const record = (sequenceNumber: number, deviceId: string, now?: Image, before?: Image) => ({
  eventName: 'MODIFY',
  dynamodb: {
    SequenceNumber: String(sequenceNumber),
    Keys: { deviceId: { S: deviceId } },
    ...(now === undefined ? {} : { NewImage: image(now) }),
    ...(before === undefined ? {} : { OldImage: image(before) }),
  },
});

/** A bus that keeps what it takes, and does not take the entries at the given places. */
function publisher(refused: ReadonlySet<number> = new Set()) {
  const told: StatusChange[] = [];
  let place = 0;
  const client = {
    send: async ({ input }: PutEventsCommand) => ({
      Entries: (input.Entries ?? []).map(({ Detail = '' }) => {
        place += 1;
        if (refused.has(place)) return { ErrorCode: 'ThrottlingException' };
        told.push(JSON.parse(Detail));
        return { EventId: String(place) };
      }),
    }),
  };
  const handler = createStatusPublisher({
    client: client as never,
    busName: 'bus',
    logger: createLogger('status-publisher', 'silent'),
  });
  return { handler, told };
}

test('tells a change once, with what was before', async () => {
  const { handler, told } = publisher();
  const answer = await handler({
    Records: [
      record(
        1,
        'bus-1',
        { status: 'connected', version: '3.7.0', site: 'depot' },
        { status: 'disconnected' },
      ),
    ],
  });
  expect(answer.batchItemFailures).toEqual([]);
  expect(told).toEqual([
    {
      id: 'bus-1/3.7.0/connected',
      deviceId: 'bus-1',
      status: 'connected',
      previousStatus: 'disconnected',
      statusVersion: '3.7.0',
      site: 'depot',
    },
  ]);
});

test('is silent where the status stayed, the device is new and said nothing, or the item is gone', async () => {
  const { handler, told } = publisher();
  await handler({
    Records: [
      record(1, 'a', { status: 'connected', version: '3.8.0' }, { status: 'connected', version: '3.7.0' }),
      record(2, 'b', { status: 'unknown' }),
      record(3, 'c', undefined, { status: 'connected' }),
    ],
  });
  expect(told).toEqual([]);
});

test('asks for the first change that the bus did not take, and for all after it, under the same ids again', async () => {
  const Records = Array.from({ length: 25 }, (_, n) => record(n, `bus-${n}`, { status: 'connected' }));
  const first = publisher(new Set([14]));
  const answer = await first.handler({ Records });
  expect(answer.batchItemFailures).toEqual([{ itemIdentifier: '13' }]);
  const second = publisher();
  await second.handler({ Records: Records.slice(13) });
  const ids = new Set([...first.told, ...second.told].map(({ id }) => id));
  expect(ids.size).toBe(25);
  expect(first.told.length + second.told.length).toBeGreaterThan(25);
});

test('refuses anything but an event of a DynamoDB stream', async () => {
  await expect(publisher().handler({ Records: [{ kinesis: {} }] })).rejects.toThrow();
});
