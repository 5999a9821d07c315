import { hash } from 'node:crypto';
import type { EntryDecoder } from '@twinstream/device-model';
import type { ResolvableQuarantine } from '@twinstream/quarantine';
import { type LineSorter, lineSorter } from '@twinstream/runtime';
import { type ArchivedEntry, type Position, positionKey } from '@twinstream/stream-model';
import type { ArchiveObjects } from './archive-objects.ts';
import type { OnForeign } from './archived-lines.ts';
import type { Difference } from './difference.ts';
import type { GivenUpBatches } from './given-up-batches.ts';
import type { MissingEvents } from './missing-events.ts';

export interface ArchiveComparisonOptions {
  /**
   * Make events of archived entries: as the projector does now, then as earlier versions of its mappings did, whose events are
   * stored as those made them. Default: events of this project's own format alone.
   */
  readonly decoders?: readonly EntryDecoder[];
  readonly objects: ArchiveObjects;
  readonly quarantine: Pick<ResolvableQuarantine, 'contents'>;
  readonly givenUp: GivenUpBatches;
  /** Name of the projector's function: what others gave up is none of the store's. */
  readonly projectorFunction: string;
  /**
   * True where an archived entry must be accounted for by now: its shard's checkpoint, read before this, is at or past it.
   * Anything else may be on its way.
   */
  readonly isFinished: (entry: Position & { readonly arrivalTime: number }) => boolean;
  /** What arrived at or after it (milliseconds since 1970) may still be on its way into the archive. */
  readonly dueBefore: number;
  /** When the verification began, milliseconds since 1970: what was redriven later need not be among the events it met. */
  readonly startTime: number;
  /** These devices alone; all where absent. */
  readonly devices?: ReadonlySet<string> | undefined;
  /** True counts and names what is foreign, and makes no difference of it. */
  readonly isForeignSkipped?: boolean;
  readonly signal: AbortSignal;
  /** See {@link lineSorter}. */
  readonly runCharactersMax?: number;
}

/** Numbers of a comparison while it is made. */
export interface ComparisonCounts {
  positions: number;
  eventsFound: number;
  eventsNotDue: number;
  duplicates: number;
  notFinished: number;
  deadLetters: number;
  givenUp: number;
}

/** What the stages of a comparison share. */
export interface ComparisonStage {
  readonly options: ArchiveComparisonOptions;
  readonly counts: ComparisonCounts;
  readonly differences: Difference[];
  readonly identities: LineSorter<string>;
  readonly entries: LineSorter<string>;
  readonly records: LineSorter<string>;
  /** Entries that the archive has and that neither store has; given-up batches are read where there are any. */
  readonly missing: MissingEvents;
  readonly onForeign: OnForeign;
}

/**
 * Whether an archived entry must be accounted for: what is `finished` must, what may be on its way need not. `redriven` must,
 * `redriven-later`, which was redriven while the stores were read, need not, and `redriven-only` must although the archive
 * lacks it; these have been counted as invalid entries. `earlier`: what an earlier version of a mapping made of it, which may be
 * stored in place of what the present one makes.
 */
export type EntryState =
  | 'finished'
  | 'not-finished'
  | 'earlier'
  | 'redriven'
  | 'redriven-later'
  | 'redriven-only';

/** Lines of the store and of the dead-letter store sort before those of the archive. */
const STORED = '0';
const ARCHIVED = '1';

/** A line of {@link ComparisonStage.identities} for an event that is stored. */
export function storedLine(
  deviceId: string,
  identity: string,
  position: Position,
  content: string,
  arrivalTime: number,
) {
  return [deviceId, JSON.stringify(identity), STORED, positionKey(position), content, arrivalTime].join('\t');
}

/** A line of {@link ComparisonStage.identities} for an event that the archive has. */
export function archivedLine(
  deviceId: string,
  identity: string,
  position: string,
  content: string,
  state: EntryState,
): string {
  return [deviceId, JSON.stringify(identity), ARCHIVED, position, content, state].join('\t');
}

/** Reads a line of {@link ComparisonStage.identities}; without an identity it says that there is something of the device. */
export function readIdentityLine(line: string) {
  const [deviceId = '', identity = '', side, position = '', content = '', last = ''] = line.split('\t');
  return { deviceId, identity, isStored: side === STORED, position, content, last };
}

/** A line of {@link ComparisonStage.entries} for an archived entry: its state where it is invalid. */
export function entryLine(entry: ArchivedEntry, state: EntryState | 'valid'): string {
  const digest = entry.form === 'tooLarge' ? entry.sha256 : digestOf(entry.data);
  return [
    positionKey(entry),
    ARCHIVED,
    JSON.stringify({ digest, state, partitionKey: entry.partitionKey }),
  ].join('\t');
}

export function digestOf(data: Uint8Array): string {
  return hash('sha256', data, 'hex');
}

/** Tells texts of events apart: 132 bits of a SHA-256. */
export function contentOf(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22);
}

/** Lines of tab-separated members in the order of their text: equal beginnings stand together, and each line comes once. */
export function textSorter(options: { readonly signal: AbortSignal; readonly runCharactersMax?: number }) {
  return lineSorter<string>({
    ...options,
    compare: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
    keyOf: (line) => line,
  });
}

/** Adds a line that is its own key. */
export function addLine(sorter: LineSorter<string>, line: string): void {
  sorter.add({ key: line, line });
}
