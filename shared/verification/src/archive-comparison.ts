import { type DeviceId, type EntryDecoder, ownFormatDecoder } from '@twinstream/device-model';
import { type ArchivedEntry, positionKey } from '@twinstream/stream-model';
import { accountFor } from './account-for.ts';
import {
  archivedLines,
  type ForeignPart,
  type ForeignTally,
  foreignName,
  noteForeign,
} from './archived-lines.ts';
import { compareIdentities } from './compare-identities.ts';
import {
  type ArchiveComparisonOptions,
  addLine,
  archivedLine,
  type ComparisonCounts,
  contentOf,
  type EntryState,
  entryLine,
  storedLine,
  textSorter,
} from './comparison-stage.ts';
import { matchDeadLetters } from './dead-letter-matching.ts';
import type { ChainEvent, Difference } from './difference.ts';
import { identityOf, mappedText } from './identity.ts';
import { MissingEvents } from './missing-events.ts';
import type { DeviceVerification } from './verify-device.ts';

/** What a comparison with the archive came to. Numbers are of entries, each position once. */
export interface ArchiveReport {
  /** In the archive, of the devices that were asked for. */
  readonly positions: number;
  /** Stored events found there. */
  readonly eventsFound: number;
  /** Stored events that the archive lacks and need not have yet. */
  readonly eventsNotDue: number;
  /** Archived copies of events that are stored from another position. */
  readonly duplicates: number;
  /** Archived, and past the checkpoint of their shard: not compared. */
  readonly notFinished: number;
  /** Archived, and not stored because they are in the dead-letter store. */
  readonly deadLetters: number;
  /** Archived, and not stored because the mapping gave them up: `ops redrive` stores them. */
  readonly givenUp: number;
  /** Archived, and nowhere else: the differences name them. */
  readonly missing: number;
  /** Objects and lines that are none of this project's. */
  readonly foreign: ForeignTally;
  readonly differences: readonly Difference[];
  /** Of the devices that were asked for, those that the archive has anything of. */
  readonly archivedDevices: ReadonlySet<string>;
}

/** Compares the event store with the archive, both ways. */
export interface ArchiveComparison {
  /** To be told of every stored event. */
  readonly onEvent: (deviceId: DeviceId, event: ChainEvent) => void;
  /** To be told of every device that was verified. */
  readonly onDevice: (deviceId: DeviceId, verification: DeviceVerification) => void;
  /** Compares. To be called once, when every device was told. */
  finish(): Promise<ArchiveReport>;
  /** Frees memory and disk. */
  close(): void;
}

/*
 * Everything is sorted on disk, so that memory does not grow with the archive:
 *
 * 1. by device and identity, stored events and archived ones beside each other (compare-identities.ts). An archived event is
 *    stored where its identity is; a copy with another position is a duplicate, which was dropped;
 * 2. by position, archived entries against the dead-letter store (dead-letter-matching.ts);
 * 3. by record, what is still missing on either side beside dead letters and given-up batches (account-for.ts).
 */

type ReadableEntry = Exclude<ArchivedEntry, { form: 'tooLarge' }>;

/** Reads the archive. The stored events are compared with it afterwards. */
export async function archiveComparison(options: ArchiveComparisonOptions): Promise<ArchiveComparison> {
  const { objects, devices, isFinished, signal, runCharactersMax } = options;
  const { decoders = [] } = options;
  const sorting = { signal, ...(runCharactersMax === undefined ? {} : { runCharactersMax }) };
  const identities = textSorter(sorting);
  const entries = textSorter(sorting);
  const records = textSorter(sorting);
  const foreign: ForeignTally = { count: 0, named: [] };
  const onForeign = (part: ForeignPart) => noteForeign(foreign, part);
  const archivedDevices = new Set<string>();
  const close = () => {
    for (const sorter of [identities, entries, records]) sorter.close();
  };

  const takeArchived = (entry: ArchivedEntry): void => {
    const state = isFinished(entry) ? 'finished' : 'not-finished';
    const isInvalid = entry.form === 'tooLarge' || takeEvents(entry, state);
    // A redrive may have made an event of any device of it.
    if (isInvalid && devices?.has(entry.partitionKey) === true) archivedDevices.add(entry.partitionKey);
    // A valid entry lies in quarantine where an earlier version rejected it, or its device refused it.
    addLine(entries, entryLine(entry, isInvalid ? state : 'valid'));
  };

  /** Adds the events of an entry, and tells whether some of it is rejected now. */
  const takeEvents = (entry: ReadableEntry, state: EntryState): boolean => {
    const [now = ownFormatDecoder, ...earlier] = decoders;
    for (const decoder of earlier) addEvents(entry, decoder, 'earlier');
    return addEvents(entry, now, state);
  };

  const addEvents = (entry: ReadableEntry, decoder: EntryDecoder, state: EntryState): boolean => {
    const { events, rejection } = decoder.decode(entry, entry.arrivalTime);
    const { shardId, sequenceNumber } = entry;
    for (const { subSequenceNumber, decoded } of events) {
      const { deviceId } = decoded.event;
      if (devices !== undefined) {
        if (!devices.has(deviceId)) continue;
        archivedDevices.add(deviceId);
      }
      const place = { sequenceNumber, subSequenceNumber };
      const identity = identityOf(shardId, { ...decoded, place });
      const position = positionKey({ shardId, ...place });
      addLine(identities, archivedLine(deviceId, identity, position, contentOf(decoded.text), state));
    }
    return rejection !== undefined;
  };

  try {
    for await (const { entry } of archivedLines(objects, { fromMs: 0, signal, onForeign }))
      takeArchived(entry);
  } catch (error) {
    close();
    throw error;
  }

  return {
    onEvent: (deviceId, { shardId, stored }) => {
      const { place, event, text, arrivalTime } = stored;
      const identity = identityOf(shardId, { event, place, text });
      const content = contentOf(mappedText(text));
      addLine(identities, storedLine(deviceId, identity, { shardId, ...place }, content, arrivalTime));
    },
    onDevice: (deviceId, { pageCount, livePage, differences }) => {
      const isThere = pageCount > 0 || livePage !== undefined || differences.length > 0;
      if (isThere) addLine(identities, `${deviceId}\t`);
    },
    finish: async () => {
      const counts: ComparisonCounts = {
        ...{ positions: 0, eventsFound: 0, eventsNotDue: 0, duplicates: 0 },
        ...{ notFinished: 0, deadLetters: 0, givenUp: 0 },
      };
      const missing = new MissingEvents();
      const differences: Difference[] = [];
      const stage = { options, counts, differences, identities, entries, records, missing, onForeign };
      try {
        await matchDeadLetters(stage);
        await compareIdentities(stage);
        await accountFor(stage);
      } finally {
        close();
      }
      differences.push(...missing.differences());
      if (options.isForeignSkipped !== true) differences.push(...foreignDifferences(foreign));
      return { ...counts, missing: missing.count, foreign, differences, archivedDevices };
    },
    close,
  };
}

function foreignDifferences({ count, named }: ForeignTally): Difference[] {
  const differences = named.map(
    ({ object, line, fault }): Difference => ({
      deviceId: '',
      kind: line === undefined ? 'object-foreign' : 'line-foreign',
      subject: foreignName({ object, line }),
      expected: 'what this project writes',
      found: fault,
    }),
  );
  const unnamed = count - named.length;
  if (unnamed > 0) {
    differences.push({
      ...{ deviceId: '', kind: 'object-foreign', subject: `${unnamed} more objects and lines` },
      ...{ expected: 'what this project writes', found: 'others' },
    });
  }
  return differences;
}
