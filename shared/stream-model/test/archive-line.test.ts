import {
  ARCHIVE_HEAD_BYTES_MAX,
  archiveLines,
  encodeAggregate,
  readArchiveLine,
  type StreamRecord,
  sequenceNumber,
  shardId,
} from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';

const SHARD = shardId('shardId-000000000002');
const LINE_BYTES_MAX = 1_024_000;

function record(data: Uint8Array | string, partitionKey = 'bus-1'): StreamRecord {
  const arrivalTime = Date.parse('2026-11-23T05:00:00.007Z');
  return { sequenceNumber: sequenceNumber('42'), partitionKey, data: Buffer.from(data), arrivalTime };
}

function linesOf(source: StreamRecord, lineBytesMax = LINE_BYTES_MAX): string[] {
  const lines = [...archiveLines(SHARD, source, lineBytesMax)];
  return lines.map(({ binary }) => Buffer.from(binary, 'latin1').toString('utf8'));
}

describe('a line of the archive', () => {
  test('holds an event with its position, verbatim, and ends as the event ended', () => {
    expect(linesOf(record('{"v":1, "n":1.0,"n":2}\n'))).toEqual([
      '{"shardId":"shardId-000000000002","sequenceNumber":"42","subSequenceNumber":0,' +
        '"arrivalTime":"2026-11-23T05:00:00.007Z","partitionKey":"bus-1","event":{"v":1, "n":1.0,"n":2}}\n',
    ]);
  });

  test('tells an event without a line end from the same with one, by a space between members', () => {
    const [line = ''] = linesOf(record('{"v":1}'));
    expect(line).toContain('"partitionKey":"bus-1", "event":{"v":1}}\n');
    expect(JSON.parse(line).event).toEqual({ v: 1 });
  });

  test('keeps characters beyond ASCII as they are, in the event and in the key', () => {
    const [line = ''] = linesOf(record('{"stop":"Süd \u{1F68C}\u2028"}', 'büs-\u{1F68C}'));
    expect(JSON.parse(line)).toMatchObject({
      partitionKey: 'büs-\u{1F68C}',
      event: { stop: 'Süd \u{1F68C}\u2028' },
    });
  });

  test.each([
    ['no bytes', ''],
    ['a line end alone', '\n'],
    ['text that is no JSON', 'hello'],
    ['two values', '{} {}'],
    ['JSON with a line break inside', '{\n}'],
    ['two line ends', '{}\n\n'],
    ['a carriage return', '{}\r\n'],
    ['a byte order mark', '\uFEFF{}'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['a truncated event', '{"v":1,"deviceId":"bus'],
  ])('holds %s as base64', (_, data) => {
    const [line = ''] = linesOf(record(data));
    expect(JSON.parse(line)).toEqual(
      expect.objectContaining({ base64: Buffer.from(data).toString('base64') }),
    );
    expect(JSON.parse(line)).not.toHaveProperty('event');
  });

  test.each(['[1]', '7', '"text"', 'null', ' {"v":1}\t'])('holds %s, which is JSON, verbatim', (data) => {
    const [line = ''] = linesOf(record(data));
    expect(line).toContain(`"event":${data}}`);
    expect(JSON.parse(line).event).toEqual(JSON.parse(data));
  });

  test('an aggregated record has a line for each entry, valid or not, with its own key', () => {
    const data = encodeAggregate([
      { partitionKey: 'bus-1', data: Buffer.from('{}\n') },
      { partitionKey: 'bus-2', data: Buffer.from('{') },
      { partitionKey: 'bus-3', data: Buffer.from('[]') },
    ]);
    expect(linesOf(record(data, 'lane-0')).map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ subSequenceNumber: 0, partitionKey: 'bus-1', event: {} }),
      expect.objectContaining({ subSequenceNumber: 1, partitionKey: 'bus-2', base64: 'ew==' }),
      expect.objectContaining({ subSequenceNumber: 2, partitionKey: 'bus-3', event: [] }),
    ]);
  });

  test('a damaged aggregate is one base64 line of the whole record', () => {
    const data = encodeAggregate([{ partitionKey: 'a', data: Buffer.from('{}') }]).subarray(0, -1);
    const lines = linesOf(record(data));
    expect(lines.length).toBe(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ base64: Buffer.from(data).toString('base64') });
  });

  test('an aggregate without entries has no line', () => {
    expect(linesOf(record(encodeAggregate([])))).toEqual([]);
  });

  test('bytes that fit in no form leave their number and their SHA-256', () => {
    const data = Buffer.alloc(1024 * 1024, 0xff);
    const [line = ''] = linesOf(record(data));
    expect(readArchiveLine(line.trimEnd())).toMatchObject({
      form: 'tooLarge',
      bytes: 1024 * 1024,
      sha256: 'f5fb04aa5b882706b9309e885f19477261336ef76a150c3b4d3489dfac3953ec',
    });
  });

  test('is as large as it may be, and no larger', () => {
    for (const fill of [0x20, 0xff]) {
      for (let size = 700; size < 1_000; size += 1) {
        const [line] = linesOf(record(Buffer.alloc(size, fill).fill('7', 0, 1)), 1_200);
        expect(Buffer.byteLength(line ?? '')).toBeLessThanOrEqual(1_200);
      }
    }
    const lengths = [...Array(1_200).keys()].map((size) => {
      const [line] = linesOf(record(Buffer.alloc(size + 1, ' ').fill('7', 0, 1)), 1_200);
      return line?.includes('"event"') ? line.length : 0;
    });
    expect(Math.max(...lengths)).toBe(1_200);
  });

  test('of base64 is as large as it may be, and no larger', () => {
    const source = record('not JSON');
    const [line = ''] = linesOf(source);
    expect(linesOf(source, line.length)).toEqual([line]);
    expect(linesOf(source, line.length - 1)[0]).toContain('"tooLarge":8,');
  });

  test('fits its head into the room that is set aside for it, at worst', () => {
    const worst = { ...record(Buffer.alloc(10 * 1024 * 1024, 0xff), '\0'.repeat(256)) };
    const number = sequenceNumber('9'.repeat(129));
    const [line] = archiveLines(
      shardId('s'.repeat(128)),
      { ...worst, sequenceNumber: number },
      LINE_BYTES_MAX,
    );
    expect(line?.form).toBe('tooLarge');
    expect(line?.binary.length).toBeLessThanOrEqual(ARCHIVE_HEAD_BYTES_MAX);
  });

  const headed = (rest: string, { shard = 's', number = '1', time = '2026-11-23T05:00:00.007Z' } = {}) =>
    `{"shardId":"${shard}","sequenceNumber":"${number}","subSequenceNumber":0,"arrivalTime":"${time}","partitionKey":"k"${rest}`;
  const digest = 'ab'.repeat(32);

  test('is read from what is written by hand in its form', () => {
    const place = { shardId: 's', sequenceNumber: '1', subSequenceNumber: 0, partitionKey: 'k' };
    expect(readArchiveLine(headed(',"event":{}}'))).toMatchObject({ ...place, data: Buffer.from('{}\n') });
    expect(readArchiveLine(headed(',"base64":"AA=="}'))).toMatchObject({ ...place, data: Buffer.from('\0') });
    expect(readArchiveLine(headed(`,"tooLarge":7,"sha256":"${digest}"}`))).toMatchObject({ bytes: 7 });
  });

  test.each([
    ['no text', ''],
    ['another text', 'hello'],
    ['another object', '{}'],
    ['a time that is none', headed(',"event":{}}', { time: 'x' })],
    ['a shard id that is none', headed(',"event":{}}', { shard: 'a shard' })],
    ['a sequence number that is none', headed(',"event":{}}', { number: '01' })],
    ['a second partition key that is no text', headed(',"partitionKey":7,"base64":"AA=="}')],
    ['a line without a form', headed('}')],
    ['a line that is cut off in its event', headed(',"event":{')],
    ['a line that goes on after its event', headed(',"event":{}x')],
    ['a line whose event is not JSON', headed(',"event":{x}}')],
    ['a line that is cut off', headed(',"base64":"AA=="')],
    ['base64 with foreign characters', headed(',"base64":"A?=="}')],
    ['base64 that is a number', headed(',"base64":7}')],
    ['a number of bytes that is a text', headed(`,"tooLarge":"7","sha256":"${digest}"}`)],
    ['bytes without a digest', headed(',"tooLarge":7}')],
    ['a digest of the wrong length', headed(`,"tooLarge":7,"sha256":"${digest}0"}`)],
    ['a digest in a list', headed(`,"tooLarge":7,"sha256":["${digest}"]}`)],
  ])('is not read from %s', (_, line) => {
    expect(() => readArchiveLine(line)).toThrow(new RangeError('not a line of the archive'));
  });

  test('that is not JSON is refused with the place where it ceases to be', () => {
    expect(() => readArchiveLine(headed(',"event":{x}}'))).toThrow(
      expect.objectContaining({ cause: expect.any(SyntaxError) }),
    );
  });
});
