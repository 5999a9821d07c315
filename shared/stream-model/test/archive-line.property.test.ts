import {
  archiveLines,
  encodeAggregate,
  openRecord,
  readArchiveLine,
  type StreamRecord,
  sequenceNumber,
  shardId,
} from '@twinstream/stream-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const SHARD = shardId('shardId-000000000000');
const LINE_BYTES_MAX = 1_024_000;
const pieces = fc.constantFrom(
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    ' ',
    '\t',
    '\n',
    '\r',
    '\\',
    '1',
    '-',
    'e',
    'true',
    '"a":1',
    '\u2028',
    'ü',
    '\uFEFF',
  ],
  ...[',"event":', ', "event":', '"base64":"', '\0', '\u{1F68C}'],
);
const jsonText = fc
  .tuple(fc.jsonValue(), fc.constantFrom('', ' ', '\t '), fc.constantFrom('', ' ', '\n', '\r\n', '\n\n'))
  .map(([value, before, after]) => `${before}${JSON.stringify(value)}${after}`);
const bytes = fc
  .oneof(
    fc.uint8Array({ maxLength: 60 }),
    jsonText,
    fc.array(pieces, { maxLength: 12 }).map((list) => list.join('')),
  )
  .map((source) => Buffer.from(source as string));
const partitionKey = fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), pieces);
const arrivalTime = fc.integer({ min: 0, max: Date.UTC(2100, 0) });

function linesOf(record: StreamRecord): string[] {
  return [...archiveLines(SHARD, record, LINE_BYTES_MAX)].map((line) => {
    const buffer = Buffer.from(line.binary, 'latin1');
    const text = buffer.toString('utf8');
    expect(Buffer.from(text).equals(buffer)).toBe(true);
    expect(text.indexOf('\n')).toBe(text.length - 1);
    expect(JSON.parse(text)).toHaveProperty(line.form);
    return text.slice(0, -1);
  });
}

test('every byte string that goes into a line comes back out of it, with its place', () => {
  fc.assert(
    fc.property(bytes, partitionKey, arrivalTime, (data, key, time) => {
      const source = { sequenceNumber: sequenceNumber('7'), partitionKey: key, data, arrivalTime: time };
      const [line = '', ...more] = linesOf(source);
      expect(more).toEqual([]);
      const read = readArchiveLine(line);
      expect(read).toEqual({
        shardId: SHARD,
        subSequenceNumber: 0,
        form: read.form,
        ...source,
      });
    }),
    { numRuns: 3_000 },
  );
});

test('what is JSON without line breaks is held verbatim, and everything else as base64', () => {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const isVerbatim = (data: Buffer): boolean => {
    try {
      const text = utf8.decode(data);
      JSON.parse(text);
      return !/[\r\n]/.test(text.replace(/\n$/, ''));
    } catch {
      return false;
    }
  };
  fc.assert(
    fc.property(bytes, (data) => {
      const source = { sequenceNumber: sequenceNumber('7'), partitionKey: 'k', data, arrivalTime: 0 };
      const [line = ''] = linesOf(source);
      expect(readArchiveLine(line).form).toBe(isVerbatim(data) ? 'event' : 'base64');
    }),
    { numRuns: 3_000 },
  );
});

test('every entry of an aggregated record comes back out of its line, in order', () => {
  const entries = fc.array(
    fc.record({ partitionKey: fc.string({ minLength: 1, maxLength: 20 }), data: bytes }),
    {
      maxLength: 8,
    },
  );
  fc.assert(
    fc.property(entries, (records) => {
      const data = Buffer.from(encodeAggregate(records));
      const source = { sequenceNumber: sequenceNumber('7'), partitionKey: 'lane', data, arrivalTime: 0 };
      const read = linesOf(source).map(readArchiveLine);
      expect(read).toEqual(
        records.map((record, subSequenceNumber) => expect.objectContaining({ ...record, subSequenceNumber })),
      );
    }),
  );
});

test('a mutated aggregate loses nothing: its entries come back, or the whole record does', () => {
  const mutated = fc
    .tuple(
      fc.array(fc.record({ partitionKey: fc.constantFrom('a', '10'), data: bytes }), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.nat(),
      fc.nat(255),
      fc.boolean(),
    )
    .map(([records, at, byte, isCut]) => {
      const data = Buffer.from(encodeAggregate(records));
      if (isCut) return data.subarray(0, at % (data.length + 1));
      data[at % data.length] = byte;
      return data;
    });
  fc.assert(
    fc.property(mutated, (data) => {
      const source = { sequenceNumber: sequenceNumber('7'), partitionKey: 'lane', data, arrivalTime: 0 };
      const read = linesOf(source).map(readArchiveLine);
      const { status, entries } = openRecord(source);
      if (status !== 'aggregated')
        expect(read).toEqual([expect.objectContaining({ partitionKey: 'lane', data })]);
      else
        expect(read).toEqual(
          entries.map((entry) => expect.objectContaining({ ...entry, data: Buffer.from(entry.data) })),
        );
    }),
    { numRuns: 1_000 },
  );
});
