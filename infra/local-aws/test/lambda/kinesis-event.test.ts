import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { expect, it } from 'vitest';
import { eventBytes, eventJson, eventRecordWriter } from '../../src/lambda/kinesis-event.ts';

const write = eventRecordWriter(
  {
    streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/device-events',
    region: 'us-east-1',
    roleArn: 'arn:aws:iam::000000000000:role/state-projector',
  },
  shardId('shardId-000000000002'),
);
const record = (partitionKey: string) => ({
  sequenceNumber: sequenceNumber('49545115243490985018280067714973144582180062593244200961'),
  partitionKey,
  data: 'SGVsbG8=',
  approximateArrivalTimestamp: 1545084650.987,
});

it('has the fields that Lambda gives a Kinesis record, the data untouched', () => {
  expect(JSON.parse(eventJson([write(record('bus-1'))]))).toEqual({
    Records: [
      {
        eventID: 'shardId-000000000002:49545115243490985018280067714973144582180062593244200961',
        eventName: 'aws:kinesis:record',
        eventSource: 'aws:kinesis',
        eventSourceARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/device-events',
        eventVersion: '1.0',
        awsRegion: 'us-east-1',
        invokeIdentityArn: 'arn:aws:iam::000000000000:role/state-projector',
        kinesis: {
          kinesisSchemaVersion: '1.0',
          partitionKey: 'bus-1',
          sequenceNumber: '49545115243490985018280067714973144582180062593244200961',
          data: 'SGVsbG8=',
          approximateArrivalTimestamp: 1545084650.987,
        },
      },
    ],
  });
});

it.each(['plain', 'with "quotes" and \\', 'ünïcødé', 'tab\tand\nline', '\u{1F68C}', '\ud800'])(
  'keeps the partition key %j and knows its bytes',
  (partitionKey) => {
    const records = [write(record(partitionKey)), write(record('x'))];
    const json = eventJson(records);
    expect(JSON.parse(json).Records[0].kinesis.partitionKey).toBe(partitionKey);
    expect(eventBytes(records)).toBe(Buffer.byteLength(json));
  },
);

it('knows the bytes of an event without records', () => {
  expect(eventJson([])).toBe('{"Records":[]}');
});

it('puts some 640 bytes around the data of a record, by names as long as the stacks give them', () => {
  const writeLong = eventRecordWriter(
    {
      streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/twinstream-production-events',
      region: 'us-east-1',
      roleArn:
        'arn:aws:iam::000000000000:role/Twinstream-production-ProjectorStateProjectorServiceRole-AbCdEfGhIjKl',
    },
    shardId('shardId-000000000002'),
  );
  const { data, ...rest } = record('lane-07');
  const { jsonBytes } = writeLong({ ...rest, data });
  expect(jsonBytes - data.length).toBeGreaterThan(640 * 0.95);
  expect(jsonBytes - data.length).toBeLessThan(640 * 1.05);
});
