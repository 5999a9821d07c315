import { isoText } from '@twinstream/command-line';
import { type ArrivedEvent, decodeEvent, noOutcomes, type OutcomeCounts } from '@twinstream/device-model';
import type { ShardProgressTable } from '@twinstream/latest-state';
import { PAGE_WRITING, type PageWriting } from '@twinstream/pipeline-settings';
import { type DeviceReport, HeadCache, projectDevice } from '@twinstream/projection';
import type { QuarantinedEntry, QuarantinedRecord, ResolvableQuarantine } from '@twinstream/quarantine';
import { CodedError, type Logger } from '@twinstream/runtime';
import { compareSequenceNumbers, type SequenceNumber, type ShardId } from '@twinstream/stream-model';
import type { Stores } from '../services.ts';
import type { FoundRecord } from './find-quarantined.ts';
import { keepUntouched, type Transform } from './transform.ts';

/** What became of one entry. */
export interface RedriveResult {
  readonly key: string;
  readonly shardId: ShardId;
  readonly sequenceNumber: SequenceNumber;
  readonly subSequenceNumber: number;
  readonly deviceId: string | null;
  /**
   * `stored`: appended. `already-stored`: its identity is there. `unrepaired`: the transformation left it alone.
   * `transform-failed`: the transformation threw. `still-invalid`: what the transformation returned is an invalid record, or holds a
   * number that it rounded. `not-finished`: the live consumer has not come so far yet.
   * `would-store`: in a preview.
   */
  readonly outcome:
    | 'stored'
    | 'already-stored'
    | 'unrepaired'
    | 'transform-failed'
    | 'still-invalid'
    | 'not-finished'
    | 'would-store';
  readonly detail: string;
}

/** The tables in use, and the id of their generation: it changes with every switch. */
export interface TablesInUse extends Stores {
  readonly generation: string;
}

export interface RedriveServices {
  /** As they are now. Consistent. */
  readonly tablesInUse: () => Promise<TablesInUse>;
  readonly quarantine: ResolvableQuarantine;
  readonly shardProgress: Pick<ShardProgressTable, 'read'>;
  readonly streamName: string;
  readonly logger: Logger;
  readonly now: () => number;
  /** As the live projector lays out pages. Default: {@link PAGE_WRITING}. */
  readonly pageWriting?: PageWriting;
}

export interface RedriveOptions {
  readonly transform: Transform;
  /** False previews. */
  readonly execute: boolean;
  readonly reason: string;
  readonly actor: string;
  readonly signal: AbortSignal;
}

/** An entry with what the transformation made of it. */
interface Repaired {
  readonly entry: QuarantinedEntry;
  readonly arrived: ArrivedEvent;
}

/**
 * Runs the repaired entries of quarantined records through the projector's own way into the tables in use: appended at
 * the tail of their device's chain, marked repaired, with their own place and arrival. A record leaves quarantine when
 * nothing of it is left to do. Running it again stores nothing twice.
 */
export async function* redrive(
  services: RedriveServices,
  records: AsyncIterable<FoundRecord>,
  options: RedriveOptions,
): AsyncGenerator<RedriveResult> {
  const progress = new Map(
    (await services.shardProgress.read(services.streamName, options.signal)).map((shard) => [
      shard.shardId,
      shard.finishedThrough,
    ]),
  );
  for await (const found of records) {
    options.signal.throwIfAborted();
    yield* redriveRecord(services, found, progress.get(found.record.shardId), options);
  }
}

async function* redriveRecord(
  services: RedriveServices,
  { key, record }: FoundRecord,
  finishedThrough: SequenceNumber | undefined,
  options: RedriveOptions,
): AsyncGenerator<RedriveResult> {
  const { shardId, sequenceNumber } = record;
  const say = (
    entry: QuarantinedEntry,
    outcome: RedriveResult['outcome'],
    deviceId: string | null,
    detail = '',
  ) => ({
    ...{ key, shardId, sequenceNumber, subSequenceNumber: entry.subSequenceNumber },
    ...{ deviceId, outcome, detail },
  });
  if (finishedThrough === undefined || compareSequenceNumbers(sequenceNumber, finishedThrough) > 0) {
    const detail = 'the live consumer has not finished this record; try again later';
    for (const entry of record.entries) yield say(entry, 'not-finished', null, detail);
    return;
  }
  const done: Repaired[] = [];
  for (const entry of record.entries) {
    let made: Uint8Array | undefined;
    try {
      made = await options.transform(entry, record);
    } catch (error) {
      yield say(entry, 'transform-failed', null, error instanceof Error ? error.message : String(error));
      continue;
    }
    if (made === undefined) {
      yield say(entry, 'unrepaired', null);
      continue;
    }
    const kept = keepUntouched(entry.data, made);
    if ('rounded' in kept) {
      const detail = `number-rounded: ${kept.rounded} was moved and became another number; keep its digits`;
      yield say(entry, 'still-invalid', null, detail);
      continue;
    }
    const decoded = decodeEvent(kept.data);
    if ('rejected' in decoded) {
      yield say(entry, 'still-invalid', null, `${decoded.rejected}: ${decoded.detail}`);
      continue;
    }
    const repaired = { entry, arrived: arrivedAt(record, entry, decoded) };
    const { deviceId } = decoded.event;
    if (!options.execute) {
      done.push(repaired);
      yield say(entry, 'would-store', deviceId);
      continue;
    }
    const { outcomes, refused } = await append(services, shardId, repaired.arrived, options.signal);
    const [refusal] = refused;
    if (refusal !== undefined) {
      yield say(entry, 'still-invalid', deviceId, `${refusal.rejected}: ${refusal.detail}`);
      continue;
    }
    done.push(repaired);
    yield say(entry, outcomes.applied + outcomes.late > 0 ? 'stored' : 'already-stored', deviceId);
  }
  if (!options.execute || done.length < record.entries.length) return;
  const resolution = {
    outcome: 'redriven' as const,
    time: isoText(services.now()),
    reason: options.reason,
    actor: options.actor,
    events: done.map(({ entry, arrived }) => ({
      subSequenceNumber: entry.subSequenceNumber,
      text: arrived.text,
    })),
  };
  await services.quarantine.resolve(key, resolution, options.signal);
}

function arrivedAt(
  { sequenceNumber, arrivalTime }: QuarantinedRecord,
  { subSequenceNumber }: QuarantinedEntry,
  decoded: Pick<ArrivedEvent, 'event' | 'text'>,
): ArrivedEvent {
  return { place: { sequenceNumber, subSequenceNumber }, arrivalTime, ...decoded };
}

/** Switches that one append meets, at most: each takes a promotion. */
const SWITCHES_MAX = 10;

type Appended = Pick<DeviceReport, 'outcomes' | 'refused'>;

/**
 * Appends to the tables in use. Where others were put into use meanwhile it appends to those, too: a promotion carries
 * over what was appended before its switch, and nobody else what was appended after it.
 */
async function append(
  services: RedriveServices,
  shardId: ShardId,
  arrived: ArrivedEvent,
  signal: AbortSignal,
): Promise<Appended> {
  const outcomes = noOutcomes();
  let inUse = await services.tablesInUse();
  for (let switches = 0; switches < SWITCHES_MAX; switches += 1) {
    const appended = await appendTo(inUse, services, shardId, arrived, signal);
    for (const name of Object.keys(outcomes) as (keyof OutcomeCounts)[])
      outcomes[name] += appended.outcomes[name];
    const { generation } = inUse;
    inUse = await services.tablesInUse();
    if (inUse.generation === generation) return { outcomes, refused: appended.refused };
  }
  throw new CodedError('GENERATION_CHANGED', 'the tables in use changed during every try', {
    retryable: true,
  });
}

/** No cache of heads: the live consumer moves them meanwhile. */
async function appendTo(
  { eventStore, latestState }: Stores,
  { logger, pageWriting = PAGE_WRITING }: RedriveServices,
  shardId: ShardId,
  arrived: ArrivedEvent,
  signal: AbortSignal,
): Promise<Appended> {
  const batch = {
    deviceId: arrived.event.deviceId,
    shardId,
    arrived: [arrived],
    from: arrived.place.sequenceNumber,
  };
  const heads = new HeadCache(0);
  const writing = { eventStore, latestState, logger, heads, ...pageWriting, repaired: true };
  return projectDevice(writing, batch, signal);
}
