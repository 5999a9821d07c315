import {
  type EntryDecoder,
  type EntryEvent,
  noOutcomes,
  type OutcomeCounts,
  ownFormatDecoder,
} from '@twinstream/device-model';
import type { EventStore } from '@twinstream/event-store';
import type { LatestStateTable, ShardProgressTable } from '@twinstream/latest-state';
import { PAGE_WRITING, type PageWriting } from '@twinstream/pipeline-settings';
import type {
  QuarantinedEntry,
  QuarantinedRecord,
  RedrivenEvent,
  ResolvableQuarantine,
} from '@twinstream/quarantine';
import { CodedError, type Logger } from '@twinstream/runtime';
import { compareSequenceNumbers, type SequenceNumber, type ShardId } from '@twinstream/stream-model';
import { HeadCache } from './head-cache.ts';
import { keepUntouched } from './keep-untouched.ts';
import { type DeviceBatch, type DeviceReport, projectDevice } from './project-device.ts';

/** A record in quarantine, and the name of its object. */
export interface FoundRecord {
  readonly key: string;
  readonly record: QuarantinedRecord;
}

/** The tables in use, and the id of their generation: it changes with every switch. */
export interface RedriveTables {
  readonly eventStore: EventStore;
  readonly latestState: LatestStateTable;
  readonly generation: string;
}

/** The repaired event as text or bytes; undefined leaves the entry in quarantine. */
export type Transform = (
  entry: QuarantinedEntry,
  record: QuarantinedRecord,
) => Promise<Uint8Array | undefined>;

/** Events as they are: for what only a newer version of the code can read. */
export const unchanged: Transform = async ({ data }) => data;

/** The outcome of one entry, or of one of the events that a mapping makes of it. */
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
   * `would-store`: in a preview. `ignored`: the mapping makes nothing of it, on purpose.
   */
  readonly outcome:
    | 'stored'
    | 'already-stored'
    | 'unrepaired'
    | 'transform-failed'
    | 'still-invalid'
    | 'not-finished'
    | 'would-store'
    | 'ignored';
  readonly detail: string;
}

export interface RedriveServices {
  /** As they are now. Consistent. */
  readonly tablesInUse: () => Promise<RedriveTables>;
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
  /** Makes events of what the transformation returned. Default: of this project's own format alone. */
  readonly decoder?: EntryDecoder;
  /** False previews. */
  readonly execute: boolean;
  readonly reason: string;
  readonly actor: string;
  readonly signal: AbortSignal;
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
    subSequenceNumber: number,
    outcome: RedriveResult['outcome'],
    deviceId: string | null,
    detail = '',
  ) => ({ key, shardId, sequenceNumber, subSequenceNumber, deviceId, outcome, detail });
  if (finishedThrough === undefined || compareSequenceNumbers(sequenceNumber, finishedThrough) > 0) {
    const detail = 'the live consumer has not finished this record; try again later';
    for (const { subSequenceNumber } of record.entries)
      yield say(subSequenceNumber, 'not-finished', null, detail);
    return;
  }
  const done: RedrivenEvent[] = [];
  let isLeft = false;
  for (const entry of record.entries) {
    const made = await repairedEvents(entry, record, options);
    if ('outcome' in made) {
      isLeft = isLeft || made.outcome !== 'ignored';
      yield say(entry.subSequenceNumber, made.outcome, null, made.detail);
      continue;
    }
    isLeft = isLeft || made.isLeft;
    for (const { subSequenceNumber, decoded } of made.events) {
      const { deviceId } = decoded.event;
      const { text, sourceCounter } = decoded;
      const event: RedrivenEvent = {
        ...{ subSequenceNumber, text, ...(sourceCounter === undefined ? {} : { sourceCounter }) },
        ...(entry.rejectedPlaces === undefined ? {} : { isPart: true }),
      };
      if (!options.execute) {
        yield say(subSequenceNumber, 'would-store', deviceId);
        continue;
      }
      const place = { sequenceNumber, subSequenceNumber };
      const arrived = { place, arrivalTime: record.arrivalTime, ...decoded };
      const batch = { deviceId, shardId, arrived: [arrived], from: sequenceNumber };
      const { outcomes, refused } = await appendRepaired(services, batch, options.signal);
      const [refusal] = refused;
      if (refusal !== undefined) {
        isLeft = true;
        yield say(subSequenceNumber, 'still-invalid', deviceId, `${refusal.rejected}: ${refusal.detail}`);
        continue;
      }
      done.push(event);
      const isStored = outcomes.applied + outcomes.late > 0;
      yield say(subSequenceNumber, isStored ? 'stored' : 'already-stored', deviceId);
    }
    if (made.detail !== undefined) yield say(entry.subSequenceNumber, 'still-invalid', null, made.detail);
  }
  if (!options.execute || isLeft) return;
  const resolution = {
    outcome: 'redriven' as const,
    time: new Date(services.now()).toISOString(),
    reason: options.reason,
    actor: options.actor,
    events: done,
  };
  await services.quarantine.resolve(key, resolution, options.signal);
}

type Repaired =
  | { readonly events: readonly EntryEvent[]; readonly isLeft: boolean; readonly detail?: string }
  | { readonly outcome: RedriveResult['outcome']; readonly detail?: string };

/** What an entry comes to, transformed and decoded: of one that was accepted in part, only what was rejected. */
async function repairedEvents(
  entry: QuarantinedEntry,
  record: QuarantinedRecord,
  { transform, decoder = ownFormatDecoder }: RedriveOptions,
): Promise<Repaired> {
  let made: Uint8Array | undefined;
  try {
    made = await transform(entry, record);
  } catch (error) {
    return { outcome: 'transform-failed', detail: error instanceof Error ? error.message : String(error) };
  }
  if (made === undefined) return { outcome: 'unrepaired' };
  const kept = keepUntouched(entry.data, made);
  if ('rounded' in kept) {
    const detail = `number-rounded: ${kept.rounded} was moved and became another number; keep its digits`;
    return { outcome: 'still-invalid', detail };
  }
  const decoded = decoder.decode({ ...entry, data: kept.data }, record.arrivalTime);
  const { rejectedPlaces } = entry;
  const events =
    rejectedPlaces === undefined
      ? decoded.events
      : decoded.events.filter(
          // An event in the place of the entry is none of those that a mapping made of it before.
          ({ subSequenceNumber: place }) =>
            rejectedPlaces.includes(place) || place === entry.subSequenceNumber,
        );
  const { rejection } = decoded;
  const isLeft = rejection !== undefined;
  const detail = isLeft ? `${rejection.rejected}: ${rejection.detail}` : undefined;
  if (events.length > 0) return { events, isLeft, ...(detail === undefined ? {} : { detail }) };
  return detail === undefined ? { outcome: 'ignored' } : { outcome: 'still-invalid', detail };
}

/** Switches that one append meets, at most: each takes a promotion. */
const SWITCHES_MAX = 10;

export type Appended = Pick<DeviceReport, 'outcomes' | 'refused'>;

/** What appending to the tables in use takes. */
export type AppendServices = Pick<RedriveServices, 'tablesInUse' | 'logger' | 'pageWriting'>;

/**
 * Appends what is not stored yet to the tables in use, marked repaired. Where others were put into use meanwhile it appends to
 * those, too: a promotion carries over what was appended before its switch, and nobody else what was appended after it.
 */
export async function appendRepaired(
  services: AppendServices,
  batch: DeviceBatch,
  signal: AbortSignal,
): Promise<Appended> {
  const outcomes = noOutcomes();
  let inUse = await services.tablesInUse();
  for (let switches = 0; switches < SWITCHES_MAX; switches += 1) {
    const appended = await appendTo(inUse, services, batch, signal);
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
  { eventStore, latestState }: RedriveTables,
  { logger, pageWriting = PAGE_WRITING }: AppendServices,
  batch: DeviceBatch,
  signal: AbortSignal,
): Promise<Appended> {
  const heads = new HeadCache(0);
  const writing = { eventStore, latestState, logger, heads, ...pageWriting, repaired: true };
  return projectDevice(writing, batch, signal);
}
