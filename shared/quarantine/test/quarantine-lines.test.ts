import {
  encodeQuarantinedRecord,
  type QuarantinedRecord,
  quarantineKey,
  readQuarantineKey,
} from '@twinstream/quarantine';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';

const plain: QuarantinedRecord = {
  shardId: shardId('shardId-000000000003'),
  sequenceNumber: sequenceNumber('42'),
  arrivalTime: Date.parse('2026-01-02T03:04:05.006Z'),
  partitionKey: 'bus-1',
  data: Buffer.from('{'),
  entries: [
    {
      reason: 'not-json',
      detail: 'the text is not JSON',
      subSequenceNumber: 0,
      partitionKey: 'bus-1',
      data: Buffer.from('{'),
    },
  ],
};

describe('the lines of a quarantined record', () => {
  test('a plain record is one line that anyone can read', () => {
    expect(encodeQuarantinedRecord(plain)).toBe(
      '{"reason":"not-json","detail":"the text is not JSON","shardId":"shardId-000000000003","sequenceNumber":"42",' +
        '"subSequenceNumber":0,"arrivalTime":"2026-01-02T03:04:05.006Z","partitionKey":"bus-1","base64":"ew=="}\n',
    );
  });

  test('an aggregated record is one line per invalid event, the whole record on the first', () => {
    const [entry] = plain.entries;
    if (entry === undefined) throw new Error('no entry');
    const aggregated = {
      ...plain,
      partitionKey: 'lane-0',
      data: Buffer.from('whole'),
      entries: [entry, { ...entry, subSequenceNumber: 5 }],
    };
    const lines = encodeQuarantinedRecord(aggregated)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      expect.objectContaining({
        subSequenceNumber: 0,
        recordPartitionKey: 'lane-0',
        recordBase64: 'd2hvbGU=',
      }),
      expect.not.objectContaining({ recordBase64: expect.anything() }),
    ]);
  });
});

describe('the key of a quarantined record', () => {
  test('is a function of the record alone', () => {
    const key = 'quarantine/year=2026/month=01/day=02/hour=03/shardId-000000000003-42-1.ndjson';
    expect(quarantineKey(plain)).toBe(key);
    expect(quarantineKey({ ...plain })).toBe(key);
  });

  test('takes the hour in UTC, at its edges too', () => {
    const hourOf = (time: string) => quarantineKey({ ...plain, arrivalTime: Date.parse(time) }).slice(11, 47);
    expect(hourOf('2026-12-31T23:59:59.999Z')).toBe('year=2026/month=12/day=31/hour=23/sh');
    expect(hourOf('2027-01-01T00:00:00.000Z')).toBe('year=2027/month=01/day=01/hour=00/sh');
    expect(hourOf('2027-01-01T00:30:00.000+05:30')).toBe('year=2026/month=12/day=31/hour=19/sh');
  });

  test('tells the shard from the sequence number where the name of the shard ends in digits, too', () => {
    const record = { ...plain, shardId: shardId('shard-1-2') };
    expect(readQuarantineKey(quarantineKey(record))).toMatchObject({
      shardId: 'shard-1-2',
      sequenceNumber: '42',
      entryCount: 1,
    });
  });

  test.each([
    'quarantine/readme.txt',
    'quarantine/year=2026/month=13/day=02/hour=03/shardId-0-42-1.ndjson',
    'quarantine/year=2026/month=01/day=02/hour=03/shardId-0-042-1.ndjson',
    'archive/year=2026/month=01/day=02/hour=03/shardId-0-42-1.ndjson',
  ])('does not read %s', (key) => {
    expect(readQuarantineKey(key)).toBeUndefined();
  });

  test('refuses an arrival that no folder can name', () => {
    expect(() => quarantineKey({ ...plain, arrivalTime: Number.NaN })).toThrow(RangeError);
    expect(() => quarantineKey({ ...plain, arrivalTime: Date.UTC(10_000, 0) })).toThrow(RangeError);
  });
});
