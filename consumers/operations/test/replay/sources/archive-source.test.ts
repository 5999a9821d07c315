import { archiveLines, type Position, sequenceNumber, shardId } from '@twinstream/stream-model';
import { memoryArchiveObjects } from '@twinstream/verification';
import { describe, expect, test } from 'vitest';
import type { ReplayBatch, ReplayEntry } from '../../../src/replay/replay-entry.ts';
import { archiveSource } from '../../../src/replay/sources/archive-source.ts';
import type { SourceQuery } from '../../../src/replay/sources/replay-source.ts';
import { recordedEntries } from '../memory-replay.ts';

const LINE_BYTES_MAX = 1_024_000;
const signal = new AbortController().signal;

function lineOf({ shardId: shard, ...record }: ReplayEntry): string {
  const [line] = archiveLines(shard, { ...record, data: Buffer.from(record.data) }, LINE_BYTES_MAX);
  if (line === undefined) throw new TypeError('no line');
  return Buffer.from(line.binary, 'latin1').toString().slice(0, -1);
}

/** What a source over these objects hands out. */
async function batchesOf(
  objects: readonly (readonly string[])[],
  query: Partial<SourceQuery> = {},
): Promise<readonly ReplayBatch[]> {
  const archive = memoryArchiveObjects();
  for (const [index, lines] of objects.entries()) archive.put(`archive/${index}.gz`, lines);
  const batches: ReplayBatch[] = [];
  // Several runs on disk.
  const source = archiveSource({ objects: archive, runCharactersMax: 2_000 });
  const whole = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, checkpoints: {}, signal };
  await source.read({ ...whole, ...query }, async (batch) => {
    batches.push(batch);
  });
  return batches;
}

const ENTRIES = recordedEntries(6, 5);
const placesOf = (entries: readonly Position[]) =>
  entries.map((entry) => `${entry.shardId} ${entry.sequenceNumber}`);

describe('the archive as a source', () => {
  test('gives each entry once, parents before children, however objects and lines are ordered', async () => {
    const lines = ENTRIES.map(lineOf).toReversed();
    const batches = await batchesOf([lines.slice(0, 12), lines.slice(8), lines.slice(20)]);
    // Ids of shards rise with time, so that those of children lie above those of their parents.
    const expected = ENTRIES.toSorted((a, b) =>
      a.shardId === b.shardId ? 0 : a.shardId < b.shardId ? -1 : 1,
    );
    expect(placesOf(batches.flatMap(({ entries }) => entries))).toEqual(placesOf(expected));
    expect(batches.map(({ shardId: shard, isLast }) => [shard, isLast])).toEqual(
      [0, 1, 2].map((shard) => [`shardId-00000000000${shard}`, true]),
    );
  });

  test('gives arrivals of the window alone: its beginning included, its end not', async () => {
    const [fromMs, toMs] = [ENTRIES[7]?.arrivalTime ?? 0, ENTRIES[20]?.arrivalTime ?? 0];
    const batches = await batchesOf([ENTRIES.map(lineOf)], { fromMs, toMs });
    const found = batches.flatMap(({ entries }) => entries.map(({ arrivalTime }) => arrivalTime)).sort();
    expect(found).toEqual(ENTRIES.slice(7, 20).map(({ arrivalTime }) => arrivalTime));
  });

  test('keeps the order of a shard whose arrival times step back: windows that meet have each record once', async () => {
    const shard = shardId('shardId-000000000001');
    const own = ENTRIES.filter((entry) => entry.shardId === shard);
    const arrivals = [10, 30, 60, 40, 70].map((seconds) => 100_000 + seconds * 100);
    const lines = arrivals.map((arrivalTime, at) => lineOf({ ...(own[at] as ReplayEntry), arrivalTime }));
    async function read(fromMs: number, toMs: number): Promise<readonly number[]> {
      const batches = await batchesOf([lines], { fromMs, toMs });
      return batches.flatMap(({ entries }) => entries.map(({ arrivalTime }) => arrivalTime));
    }
    expect(await read(0, 105_000)).toEqual(arrivals.slice(0, 2));
    expect(await read(105_000, 200_000)).toEqual(arrivals.slice(2));
  });

  test('gives back text with raw line and paragraph separators as it came, from disk too', async () => {
    const entries = ENTRIES.map((entry) => ({
      ...entry,
      data: Buffer.from('{"a":"\u2028b\u2029\u0085"}\n'),
    }));
    const batches = await batchesOf([entries.map(lineOf)]);
    const found = batches.flatMap((batch) => batch.entries.map(({ data }) => Buffer.from(data).toString()));
    expect(found).toEqual(entries.map(({ data }) => data.toString()));
  });

  test('goes on behind checkpoints, and gives nothing above the bound or of other shards', async () => {
    const shard = shardId('shardId-000000000001');
    const own = ENTRIES.filter((entry) => entry.shardId === shard);
    const batches = await batchesOf([ENTRIES.map(lineOf)], {
      shards: [shard],
      checkpoints: { [shard]: { through: own[1] ?? ENTRIES[0] } as never },
      bound: () => own[4],
    });
    expect(placesOf(batches.flatMap(({ entries }) => entries))).toEqual(placesOf(own.slice(2, 5)));
    const unfinished = await batchesOf([ENTRIES.map(lineOf)], { bound: () => undefined });
    expect(unfinished).toEqual([]);
  });

  test('refuses what is foreign by object and line before it gives anything', async () => {
    let given = 0;
    const archive = memoryArchiveObjects();
    archive.put('archive/0.gz', [...ENTRIES.map(lineOf), 'hello']);
    const read = (onForeign?: () => void) =>
      archiveSource({ objects: archive, ...(onForeign === undefined ? {} : { onForeign }) }).read(
        { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, checkpoints: {}, signal },
        async ({ entries }) => {
          given += entries.length;
        },
      );
    await expect(read()).rejects.toMatchObject({
      code: 'ARCHIVE_LINE_INVALID',
      message: expect.stringContaining(`archive/0.gz line ${ENTRIES.length + 1}`),
    });
    expect(given).toBe(0);
    const source = archiveSource({ objects: archive });
    const whole = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, checkpoints: {}, signal };
    await expect(source.check?.(whole)).rejects.toMatchObject({ code: 'ARCHIVE_LINE_INVALID' });
    await read(() => undefined);
    expect(given).toBe(ENTRIES.length);
  });

  test('says of what did not fit into a line that it is too large to be an event', async () => {
    const head =
      '{"shardId":"shardId-000000000000","sequenceNumber":"7","subSequenceNumber":0,"arrivalTime":"2026-11-23T05:00:00.000Z","partitionKey":"bus-1"';
    const [batch] = await batchesOf([[`${head},"tooLarge":900000,"sha256":"${'0'.repeat(64)}"}`]]);
    const place = { shardId: shardId('shardId-000000000000'), sequenceNumber: sequenceNumber('7') };
    expect(batch?.entries).toMatchObject([
      { ...place, data: Buffer.from('"larger than a line of the archive"') },
    ]);
  });
});
