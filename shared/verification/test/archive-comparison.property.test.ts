import { decodeEvent } from '@twinstream/device-model';
import {
  compareSequenceNumbers,
  positionKey,
  readArchiveLine,
  sequenceNumber,
} from '@twinstream/stream-model';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { identityOf } from '../src/identity.ts';
import { type ArchivedPipeline, archivedPipeline, verified } from './archived-pipeline.ts';

let whole: ArchivedPipeline;

beforeAll(async () => {
  whole = await archivedPipeline();
});

/** What a comparison must say, by looking everything up in memory. */
function expectedOf({
  archive,
  pages,
  states,
  letters,
  givenUp,
  progress,
}: ArchivedPipeline): readonly string[] {
  const differences: string[] = [];
  const entries = [...archive.values()].flat().map(readArchiveLine);
  const lines = new Set(entries.map(positionKey));
  const stored = new Set<string>();
  for (const page of [...pages.values()].flat()) {
    for (const event of page.events) {
      stored.add(`${page.deviceId} ${identityOf(page.shardId, event)}`);
      const position = positionKey({ shardId: page.shardId, ...event.place });
      if (!lines.has(position)) differences.push(`not-archived ${page.deviceId} ${position}`);
    }
  }
  const dead = new Map<string, string>();
  for (const letter of letters) {
    if (!('record' in letter)) continue;
    const { shardId, sequenceNumber: number, entries: invalid } = letter.record;
    for (const { subSequenceNumber, partitionKey } of invalid) {
      const position = positionKey({ shardId, sequenceNumber: number, subSequenceNumber });
      const [redriven] = letter.resolution?.events ?? [];
      dead.set(position, redriven?.text ?? '');
      if (redriven === undefined && !lines.has(position))
        differences.push(`not-archived ${partitionKey} ${position}`);
    }
  }
  const lost = new Set<string>();
  const lack = (deviceId: string, position: string) => {
    if ((pages.get(deviceId as never)?.length ?? 0) > 0 || states.has(deviceId as never)) {
      differences.push(`not-stored ${deviceId} ${position}`);
    } else lost.add(deviceId);
  };
  const isStored = (text: string, position: string) => {
    const decoded = decodeEvent(Buffer.from(text));
    if ('rejected' in decoded) throw new TypeError('no event');
    const { event } = decoded;
    const [shard, number, sub] = position.split(':');
    const place = { sequenceNumber: sequenceNumber(number ?? ''), subSequenceNumber: Number(sub) };
    return [
      event.deviceId,
      stored.has(`${event.deviceId} ${identityOf(shard as never, { event, place })}`),
    ] as const;
  };
  for (const [position, text] of dead) {
    if (text === '') continue;
    const [deviceId, isThere] = isStored(text, position);
    if (!isThere) lack(deviceId, position);
  }
  for (const entry of entries) {
    const position = positionKey(entry);
    const last = progress.get(entry.shardId);
    const isFinished =
      last !== undefined && compareSequenceNumbers(entry.sequenceNumber, sequenceNumber(last)) <= 0;
    if (!isFinished || dead.has(position) || entry.form === 'tooLarge') continue;
    if (givenUp.some(({ text }) => text.includes(entry.sequenceNumber))) continue;
    const decoded = decodeEvent(entry.data);
    if ('rejected' in decoded) differences.push(`not-quarantined ${entry.partitionKey} ${position}`);
    else {
      const [deviceId, isThere] = isStored(decoded.text, position);
      if (!isThere) lack(deviceId, position);
    }
  }
  for (const deviceId of lost) differences.push(`device-missing ${deviceId} the device`);
  return differences.sort();
}

/** Leaves out what the mask says, one after the other. */
function thinned<Item>(items: readonly Item[], isKept: () => boolean): readonly Item[] {
  return items.filter(isKept);
}

describe('a comparison with the archive', () => {
  test('says what looking everything up would say, whatever is missing where', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.infiniteStream(fc.integer({ min: 0, max: 99 })),
        fc.integer({ min: 50, max: 100 }),
        fc.integer({ min: 1_000, max: 10_000 }),
        async (numbers, keptPercent, runCharactersMax) => {
          const isKept = () => (numbers.next().value ?? 0) < keptPercent;
          const damaged: ArchivedPipeline = {
            ...whole,
            archive: new Map([...whole.archive].map(([key, lines]) => [key, thinned(lines, isKept)])),
            pages: new Map(
              [...whole.pages].filter(isKept).map(([deviceId, pages]) => [deviceId, thinned(pages, isKept)]),
            ),
            states: new Map([...whole.states].filter(isKept)),
            letters: thinned(whole.letters, isKept),
            givenUp: thinned(whole.givenUp, isKept),
            progress: new Map([...whole.progress].filter(isKept)),
          };
          const expected = expectedOf(damaged);
          const { differences } = await verified(damaged, { runCharactersMax });
          // What is wrong with pages and states themselves is another's to say.
          const found = differences.filter((difference) => !/^(page|state|snapshot)-/.test(difference));
          expect(found).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });
});
