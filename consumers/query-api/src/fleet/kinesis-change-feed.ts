import {
  ExpiredIteratorException,
  GetRecordsCommand,
  type GetRecordsCommandOutput,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  type KinesisClient,
  ProvisionedThroughputExceededException,
} from '@aws-sdk/client-kinesis';
import { type DeviceId, isDeviceId } from '@twinstream/device-model';
import type { Clock, Logger } from '@twinstream/runtime';
import { openRecord, type SequenceNumber, type ShardId, sequenceNumber } from '@twinstream/stream-model';
import type { ShardListing } from '../pipeline/shard-listing.ts';
import type { ChangeFeed, HintedRecord, ShardHints } from './change-feed.ts';
import { BEGINNING, type ShardVector } from './coverage.ts';

export interface KinesisChangeFeedOptions {
  readonly client: KinesisClient;
  readonly streamName: string;
  readonly shards: ShardListing;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A reader that is further behind leaves out what lies between it and the tip: the table knows it sooner. */
const BEHIND_MS_MAX = 60_000;
/** Shards are listed again after this time. */
const LIST_MS = 10_000;
const RECORDS_MAX = 2_000;

interface ShardReader {
  iterator: string | undefined;
  /** Hints are complete behind this. */
  from: SequenceNumber | undefined;
  /** The last record read. */
  last: SequenceNumber | undefined;
  ended: boolean;
}

/**
 * Reads the records of a stream for the devices they speak of: one GetRecords a shard and call. It gives way to the
 * consumers: a throttled read is left to the next call.
 */
export function kinesisChangeFeed(options: KinesisChangeFeedOptions): ChangeFeed {
  const { client, streamName, shards, clock, logger } = options;
  const readers = new Map<ShardId, ShardReader>();
  let shardIds: readonly ShardId[] = [];
  let listTime = Number.NEGATIVE_INFINITY;

  async function iterator(
    shardId: ShardId,
    start: Partial<GetShardIteratorCommandInput>,
    signal?: AbortSignal,
  ) {
    const command = new GetShardIteratorCommand({
      StreamName: streamName,
      ShardId: shardId,
      ShardIteratorType: 'LATEST',
      ...start,
    });
    const answer = await client.send(command, signal === undefined ? {} : { abortSignal: signal });
    return answer.ShardIterator;
  }

  async function open(shardId: ShardId, progress: ShardVector, signal?: AbortSignal): Promise<ShardReader> {
    const known = readers.get(shardId);
    if (known?.iterator !== undefined || known?.ended === true) return known;
    // A reader whose iterator expired goes on behind its last record; a new one begins behind the progress.
    const after = known?.last ?? known?.from ?? progress.get(shardId);
    const reader: ShardReader = {
      iterator: await iterator(shardId, startAfter(after), signal),
      from: known?.from ?? after ?? BEGINNING,
      last: known?.last,
      ended: false,
    };
    readers.set(shardId, reader);
    return reader;
  }

  async function read(
    shardId: ShardId,
    progress: ShardVector,
    signal?: AbortSignal,
  ): Promise<ShardHints | undefined> {
    const reader = await open(shardId, progress, signal);
    if (reader.ended) return { shardId, from: reader.from ?? BEGINNING, records: [], atTip: true };
    let answer: GetRecordsCommandOutput;
    try {
      answer = await client.send(
        new GetRecordsCommand({ ShardIterator: reader.iterator, Limit: RECORDS_MAX }),
        signal === undefined ? {} : { abortSignal: signal },
      );
    } catch (error) {
      if (error instanceof ExpiredIteratorException) reader.iterator = undefined;
      else if (!(error instanceof ProvisionedThroughputExceededException)) throw error;
      return reader.from === undefined
        ? undefined
        : { shardId, from: reader.from, records: [], atTip: false };
    }
    const behindMs = answer.MillisBehindLatest ?? 0;
    if (behindMs > BEHIND_MS_MAX) {
      logger.info({ shardId, behindMs }, 'records left out');
      readers.set(shardId, {
        iterator: await iterator(shardId, { ShardIteratorType: 'LATEST' }, signal),
        from: undefined,
        last: undefined,
        ended: false,
      });
      return undefined;
    }
    reader.iterator = answer.NextShardIterator;
    reader.ended = answer.NextShardIterator === undefined;
    const records = (answer.Records ?? []).flatMap(hintedRecord);
    // Behind a leap to the tip nothing is known of what lies before the first record that is read there.
    reader.from ??= records[0]?.sequenceNumber;
    reader.last = records.at(-1)?.sequenceNumber ?? reader.last;
    return reader.from === undefined
      ? undefined
      : { shardId, from: reader.from, records, atTip: behindMs === 0 };
  }

  return {
    restart: () => readers.clear(),
    poll: async (progress, signal) => {
      if (clock.now() - listTime > LIST_MS) {
        shardIds = (await shards(signal)).map(({ shardId }) => shardId);
        listTime = clock.now();
      }
      const hints = await Promise.all(shardIds.map((shardId) => read(shardId, progress, signal)));
      return hints.filter((shard) => shard !== undefined);
    },
  };
}

function startAfter(after: SequenceNumber | undefined): Partial<GetShardIteratorCommandInput> {
  if (after === undefined || after === BEGINNING) return { ShardIteratorType: 'TRIM_HORIZON' };
  return { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: after };
}

// The device id of an event governs, not its partition key. Whatever else in the text looks like one is a hint too many.
const DEVICE_ID = /"deviceId"\s*:\s*"([A-Za-z0-9._:-]{1,128})"/g;

function hintedRecord({
  SequenceNumber: number,
  PartitionKey: partitionKey = '',
  Data: data = new Uint8Array(),
  ApproximateArrivalTimestamp: arrival = new Date(0),
}: NonNullable<GetRecordsCommandOutput['Records']>[number]): HintedRecord[] {
  if (number === undefined) return [];
  const deviceIds = new Set<DeviceId>();
  for (const entry of openRecord({ partitionKey, data }).entries) {
    const { buffer, byteOffset, byteLength } = entry.data;
    for (const [, id] of Buffer.from(buffer, byteOffset, byteLength).toString('latin1').matchAll(DEVICE_ID)) {
      if (isDeviceId(id)) deviceIds.add(id);
    }
  }
  return [
    { sequenceNumber: sequenceNumber(number), arrivalTime: arrival.getTime(), deviceIds: [...deviceIds] },
  ];
}
