import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, CodedError, type Logger } from '@twinstream/runtime';
import { FEED_BEHIND_MS_MAX } from '../change-feed.ts';
import type { SavedRow } from '../columns/saved-row.ts';
import type { FleetRows } from '../fleet-rows.ts';
import { LINE_ROWS, readSavedView, type SavedViewHead, writeSavedView } from './saved-view.ts';
import type { SavedViewStore } from './saved-view-store.ts';

export interface ViewSaverOptions {
  readonly store: SavedViewStore;
  /** How long the stream keeps its records, in milliseconds. */
  readonly retentionMs: () => Promise<number>;
  /** Time between two savings of all processes together, in milliseconds. Default 300,000. */
  readonly everyMs?: number;
  /** Draws from [0, 1): processes that start together do not save together. */
  readonly random: () => number;
}

export interface ViewSaver {
  /**
   * Restores the rows of the saved view. Undefined where there is none to go on from, which the log names with its reason; the
   * rows may then hold anything.
   *
   * @param expected what the view must be of
   */
  restore(
    rows: FleetRows,
    expected: Pick<SavedViewHead, 'streamName' | 'generation'>,
    signal: AbortSignal,
  ): Promise<SavedViewHead | undefined>;
  /** Saves the view where that is due. `isCurrent`: whether the head still holds. Never rejects. */
  save(rows: FleetRows, head: SavedViewHead, isCurrent: () => boolean, isLast: boolean): Promise<void>;
}

/** A view that is older is not gone on from: the feed may have lost what it needs before it has read it. */
const RETENTION_LEFT_MS = 3_600_000;
/** What was saved this lately is left as it is when a process ends. */
const LAST_MS = 30_000;
const EVERY_MS = 300_000;
/** What was saved almost as long ago as that was saved by another process for this turn. */
const TURN_SHARE = 0.9;

export function createViewSaver(
  { store, retentionMs, everyMs = EVERY_MS, random }: ViewSaverOptions,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): ViewSaver {
  let tryTime = clock.now() - random() * everyMs;

  function ignored(reason: string, details: object = {}): undefined {
    logger.warn({ reason, ...details }, 'saved view not used');
  }

  /** Nobody needs to know of it: a pipeline starts without one. */
  function absent(): undefined {
    logger.info({ reason: 'none' }, 'saved view not used');
  }

  return {
    restore: async (rows, expected, signal) => {
      let head: SavedViewHead | undefined;
      try {
        const startTime = clock.now();
        const bytes = await store.read(signal);
        if (bytes === undefined) return absent();
        const ageMsMax = (await retentionMs()) - RETENTION_LEFT_MS;
        await readSavedView(bytes, {
          onHead: (found) => {
            requireUsable(found, expected, clock.now() - ageMsMax);
            head = found;
          },
          onRows: rows.restore,
        });
        if (head === undefined) return ignored('damaged');
        rows.ageTo(clock.now(), undefined);
        const { asOf } = head;
        const ageMs = clock.now() - asOf;
        const isFollowed = ageMs <= FEED_BEHIND_MS_MAX;
        logger.info(
          { devices: rows.columns.size, ageMs, tookMs: clock.now() - startTime, isFollowed },
          'saved view restored',
        );
        return head;
      } catch (error) {
        signal.throwIfAborted();
        return ignored(reasonOf(error), { error });
      }
    },
    save: async (rows, head, isCurrent, isLast) => {
      const now = clock.now();
      if (!isLast && now - tryTime < everyMs) return;
      tryTime = now;
      try {
        const savedTime = await store.savedTime();
        const restMs = isLast ? LAST_MS : everyMs * TURN_SHARE;
        if (savedTime !== undefined && now - savedTime < restMs) return;
        await store.write(writeSavedView(head, savedLines(rows, isCurrent)));
        logger.info({ devices: rows.columns.size, asOf: head.asOf, tookMs: clock.now() - now }, 'view saved');
      } catch (error) {
        logger.warn({ error }, 'view not saved');
      }
    },
  };
}

function requireUsable(
  { streamName, generation, asOf }: SavedViewHead,
  expected: Pick<SavedViewHead, 'streamName' | 'generation'>,
  asOfMin: number,
): void {
  if (streamName !== expected.streamName) {
    throw new CodedError('SAVED_VIEW_FOREIGN', `it is of the stream ${streamName}`);
  }
  if (generation !== expected.generation) {
    throw new CodedError('SAVED_VIEW_FOREIGN', `it is of the tables of ${generation}`);
  }
  if (asOf < asOfMin) throw new CodedError('SAVED_VIEW_TOO_OLD', 'the stream may have dropped what it lacks');
}

const REASONS: Readonly<Record<string, string>> = {
  SAVED_VIEW_DAMAGED: 'damaged',
  SAVED_VIEW_VERSION: 'other-version',
  SAVED_VIEW_FOREIGN: 'foreign',
  SAVED_VIEW_TOO_OLD: 'too-old',
};

function reasonOf(error: unknown): string {
  return (error instanceof CodedError && REASONS[error.code]) || 'unreadable';
}

/** Requests are answered between two lines. */
async function* savedLines(
  { columns, inOrder }: FleetRows,
  isCurrent: () => boolean,
): AsyncGenerator<readonly SavedRow[]> {
  let line: SavedRow[] = [];
  for (const slot of inOrder()) {
    if (columns.isPresent(slot)) line.push(columns.save(slot));
    if (line.length < LINE_ROWS) continue;
    yield line;
    line = [];
    await nextTurn();
    if (!isCurrent())
      throw new CodedError('SAVED_VIEW_FOREIGN', 'another table has taken the place of this one');
  }
  if (line.length > 0) yield line;
}
