import { expect, it } from 'vitest';
import type { Destination } from '../../src/firehose/delivery-stream-definition.ts';
import { objectKey } from '../../src/firehose/object-key.ts';

const identity = { oldestArrivalMs: Date.UTC(2026, 0, 9, 4, 5, 6), uuid: 'the-uuid', random: () => 0 };
const key = (destination: Partial<Destination>) =>
  objectKey(
    {
      name: 'device-events',
      versionId: '3',
      createdMs: 0,
      destination: {
        roleArn: 'arn:role',
        bucket: 'bucket',
        prefix: 'a/!{timestamp:yyyy}/',
        compression: 'GZIP',
        bufferBytesMax: 1,
        bufferIntervalMs: 1,
        ...destination,
      },
    },
    identity,
  );

it('is prefix, stream, version, time of the oldest record and a random id', () => {
  expect(key({ compression: 'UNCOMPRESSED' })).toBe('a/2026/device-events-3-2026-01-09-04-05-06-the-uuid');
});

it('ends with .gz when compressed', () => {
  expect(key({})).toBe('a/2026/device-events-3-2026-01-09-04-05-06-the-uuid.gz');
});

it('ends with the extension that was asked for, in place of .gz', () => {
  expect(key({ fileExtension: '.ndjson.gz' })).toMatch(/the-uuid\.ndjson\.gz$/);
});
