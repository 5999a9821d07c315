import {
  ExpiredIteratorException,
  GetRecordsCommand,
  type GetRecordsCommandOutput,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  type KinesisClient,
  ProvisionedThroughputExceededException,
} from '@aws-sdk/client-kinesis';
import type { EntryDecoder } from '@twinstream/device-model';
import type { ShardListing } from '@twinstream/pipeline-status';
import type { Clock, Logger } from '@twinstream/runtime';
import type { SequenceNumber, ShardId } from '@twinstream/stream-model';
import { type ChangeFeed, FEED_BEHIND_MS_MAX, type ShardHints } from './change-feed.ts';
import { BEGINNING, type ShardVector } from './coverage.ts';
import { hintedRecord } from './hinted-record.ts';

export interface KinesisChangeFeedOptions {
  readonly client: KinesisClient;
  readonly streamName: string;
  readonly shards: ShardListing;
  /** As the projector decodes. Default: events of this project's own format alone. */
  readonly decoder?: EntryDecoder | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Shards are listed again after this time, and when one was read to its end: its children go on. */
const LIST_MS = 10_000;
const RECORDS_MAX = 2_000;
/** The same while a reader is behind. A shard takes up to 1,000 records a second, and has to serve the consumers, too. */
const RECORDS_BEHIND_MAX = 5_000;

/**
 * Reads the records of a stream for the devices they speak of: one GetRecords a shard and call. It gives way to the
 * consumers: a throttled read is left to the next call.
 */
export function kinesisChangeFeed(options: KinesisChangeFeedOptions): ChangeFeed {
  const { shards, clock } = options;
  const readers = new Map<ShardId, ShardReader>();
  let shardIds: readonly ShardId[] = [];
  let listTime = Number.NEGATIVE_INFINITY;
  let endedCount = 0;
  let start: ShardVector | undefined;
  return {
    restart: (from) => {
      start = from;
      readers.clear();
    },
    poll: async (progress, signal) => {
      if (clock.now() - listTime > LIST_MS) {
        shardIds = (await shards(signal)).map(({ shardId }) => shardId);
        listTime = clock.now();
      }
      const hints = await Promise.all(
        shardIds.map((shardId) => {
          const reader = readers.get(shardId) ?? newReader(shardId, start ?? progress);
          readers.set(shardId, reader);
          return readShard(options, reader, signal);
        }),
      );
      const ended = [...readers.values()].filter(({ hasEnded }) => hasEnded).length;
      if (ended > endedCount) listTime = Number.NEGATIVE_INFINITY;
      endedCount = ended;
      return hints.filter((shard) => shard !== undefined);
    },
  };
}

/** Where the reading of one shard stands. */
interface ShardReader {
  readonly shardId: ShardId;
  /** Where the next read begins, once it is known. */
  iterator: string | undefined;
  /** Hints are complete after this; undefined after a leap to the tip, until the first record after it. */
  from: SequenceNumber | undefined;
  /** The last record read. */
  last: SequenceNumber | undefined;
  /** The last read did not come to the tip. */
  isBehind: boolean;
  /** A closed shard was read to its end. */
  hasEnded: boolean;
}

function newReader(shardId: ShardId, progress: ShardVector): ShardReader {
  const from = progress.get(shardId) ?? BEGINNING;
  return { shardId, iterator: undefined, from, last: undefined, isBehind: false, hasEnded: false };
}

async function readShard(
  options: KinesisChangeFeedOptions,
  reader: ShardReader,
  signal: AbortSignal | undefined,
): Promise<ShardHints | undefined> {
  const { shardId } = reader;
  if (reader.hasEnded) return { shardId, from: reader.from ?? BEGINNING, records: [], atTip: true };
  const answer = await getRecords(options, reader, signal);
  if (answer === undefined) return undefined;
  const behindMs = answer.MillisBehindLatest ?? 0;
  if (behindMs > FEED_BEHIND_MS_MAX) {
    options.logger.info({ shardId, behindMs }, 'records left out');
    reader.iterator = await shardIterator(options, shardId, { ShardIteratorType: 'LATEST' }, signal);
    reader.from = undefined;
    reader.last = undefined;
    return undefined;
  }
  reader.iterator = answer.NextShardIterator;
  reader.isBehind = behindMs > 0;
  reader.hasEnded = answer.NextShardIterator === undefined;
  const records = (answer.Records ?? []).flatMap((record) => hintedRecord(record, options.decoder));
  reader.from ??= records[0]?.sequenceNumber;
  reader.last = records.at(-1)?.sequenceNumber ?? reader.last;
  return reader.from === undefined
    ? undefined
    : { shardId, from: reader.from, records, atTip: behindMs === 0 };
}

/** Undefined when the read is left to the next call. */
async function getRecords(
  options: KinesisChangeFeedOptions,
  reader: ShardReader,
  signal: AbortSignal | undefined,
): Promise<GetRecordsCommandOutput | undefined> {
  try {
    reader.iterator ??= await shardIterator(
      options,
      reader.shardId,
      startAfter(reader.last ?? reader.from),
      signal,
    );
    return await options.client.send(
      new GetRecordsCommand({
        ShardIterator: reader.iterator,
        Limit: reader.isBehind ? RECORDS_BEHIND_MAX : RECORDS_MAX,
      }),
      signal === undefined ? {} : { abortSignal: signal },
    );
  } catch (error) {
    if (error instanceof ExpiredIteratorException) reader.iterator = undefined;
    else if (!(error instanceof ProvisionedThroughputExceededException)) throw error;
    return undefined;
  }
}

async function shardIterator(
  { client, streamName }: KinesisChangeFeedOptions,
  shardId: ShardId,
  start: Pick<GetShardIteratorCommandInput, 'ShardIteratorType' | 'StartingSequenceNumber'>,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const command = new GetShardIteratorCommand({ StreamName: streamName, ShardId: shardId, ...start });
  return (await client.send(command, signal === undefined ? {} : { abortSignal: signal })).ShardIterator;
}

function startAfter(after: SequenceNumber | undefined) {
  if (after === undefined || after === BEGINNING) return { ShardIteratorType: 'TRIM_HORIZON' } as const;
  return { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: after } as const;
}
