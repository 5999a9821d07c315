import { gzipSync } from 'node:zlib';
import { archiveLines, sequenceNumber, shardId } from '@twinstream/stream-model';
import {
  archivedLines,
  FOREIGN_NAMED_MAX,
  type ForeignPart,
  type ForeignTally,
  memoryArchiveObjects,
  noteForeign,
} from '@twinstream/verification';
import { describe, expect, test } from 'vitest';

const LINE_BYTES_MAX = 1_024_000;

function lineOf(data: string, place = '42'): string {
  const record = {
    sequenceNumber: sequenceNumber(place),
    partitionKey: 'bus-1',
    data: Buffer.from(data),
    arrivalTime: Date.parse('2026-11-23T05:00:00.007Z'),
  };
  const [line] = archiveLines(shardId('shardId-000000000000'), record, LINE_BYTES_MAX);
  if (line === undefined) throw new TypeError('no line');
  return Buffer.from(line.binary, 'latin1').toString().slice(0, -1);
}

const GOOD = lineOf('{"v":1}');

/** What an archive of one object gives: places of the lines, and what is foreign. */
async function read(lines: readonly string[] | Uint8Array) {
  const archive = memoryArchiveObjects();
  if (lines instanceof Uint8Array) archive.putBytes('archive/x.gz', lines);
  else archive.put('archive/x.gz', lines);
  const foreign: ForeignPart[] = [];
  const found: string[] = [];
  const options = { fromMs: 0, onForeign: (part: ForeignPart) => foreign.push(part) };
  for await (const { entry } of archivedLines(archive, options)) found.push(entry.sequenceNumber);
  return { found, foreign: foreign.map(({ object, line, fault }) => `${object} ${line ?? '-'} ${fault}`) };
}

describe('the archive', () => {
  test('holds raw line and paragraph separators in its lines, and gives them back', async () => {
    const data = '{"note":"one\u2028two\u2029three"}';
    const archive = memoryArchiveObjects();
    archive.put('archive/x.gz', [lineOf(data)]);
    const [line] = await Array.fromAsync(archivedLines(archive, { fromMs: 0 }));
    expect(line?.entry).toMatchObject({ data: Buffer.from(data) });
  });

  test.each([
    ['a line of text', 'hello'],
    ['JSON of somebody else', '{"hello":"there"}'],
    ['a value that is not an object', '42'],
    ['a line that was cut', GOOD.slice(0, -3)],
    ['an altered event that is no JSON any more', GOOD.replace('{"v":1}', '{"v";1}')],
    ['an altered shard', GOOD.replace('shardId-', 'shard Id')],
    ['an altered sequence number', GOOD.replace('"42"', '"4x"')],
    ['an altered arrival', GOOD.replace('05:00:00.007Z', '45:00:00.007Z')],
    ['base64 that is none', lineOf('\u0000').replace('"AA=="', '"A*=="')],
    ['a line that no record of Firehose holds', `{"x":"${'y'.repeat(LINE_BYTES_MAX)}"}`],
  ])('names %s by object and number, and goes on', async (_, foreign) => {
    const found = await read([GOOD, foreign, lineOf('{"v":2}', '43')]);
    expect(found.found).toEqual(['42', '43']);
    expect(found.foreign).toEqual([expect.stringMatching(/^archive\/x\.gz 2 .*line of the archive$/)]);
  });

  test.each([
    ['is no GZIP file', Buffer.from(`${GOOD}\n`)],
    ['ends too early', gzipSync(`${GOOD}\n`).subarray(0, -9)],
    ['is damaged', gzipSync(`${GOOD}\n`).fill(0xff, 12, 40)],
  ])('names an object that %s', async (_, bytes) => {
    const { foreign } = await read(bytes);
    expect(foreign).toEqual([expect.stringMatching(/^archive\/x\.gz - not a whole GZIP file: /)]);
  });

  test('is read by nobody past something foreign unless that is asked for', async () => {
    const archive = memoryArchiveObjects();
    archive.put('archive/x.gz', [GOOD, 'hello']);
    await expect(Array.fromAsync(archivedLines(archive, { fromMs: 0 }))).rejects.toMatchObject({
      code: 'ARCHIVE_LINE_INVALID',
      message: 'archive/x.gz line 2: not a line of the archive',
    });
    archive.putBytes('archive/x.gz', Buffer.from('hello'));
    await expect(Array.fromAsync(archivedLines(archive, { fromMs: 0 }))).rejects.toMatchObject({
      code: 'ARCHIVE_OBJECT_INVALID',
    });
  });

  test('that holds much that is foreign names the first, and counts all', () => {
    const tally: ForeignTally = { count: 0, named: [] };
    for (let line = 1; line <= FOREIGN_NAMED_MAX + 5; line += 1) {
      noteForeign(tally, { object: 'archive/x.gz', line, fault: 'not a line of the archive' });
    }
    expect([tally.count, tally.named.length]).toEqual([FOREIGN_NAMED_MAX + 5, FOREIGN_NAMED_MAX]);
  });

  test('is read past empty lines, which are nothing, and a line too long for it is named as that', async () => {
    const found = await read(['', GOOD, '', `{"x":"${'y'.repeat(LINE_BYTES_MAX)}"}`]);
    expect(found).toEqual({ found: ['42'], foreign: ['archive/x.gz 4 longer than a line of the archive'] });
  });

  test('that cannot be read for another reason than its bytes fails its reader', async () => {
    const archive = memoryArchiveObjects();
    archive.put('archive/x.gz', [GOOD]);
    const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    for (const failure of [reset, new Error('no access')]) {
      const failing = {
        ...archive,
        read: async function* () {
          yield* [];
          throw failure;
        },
      };
      const foreign: ForeignPart[] = [];
      const options = { fromMs: 0, onForeign: (part: ForeignPart) => foreign.push(part) };
      await expect(Array.fromAsync(archivedLines(failing, options))).rejects.toBe(failure);
      expect(foreign).toEqual([]);
    }
  });
});
