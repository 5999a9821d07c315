import {
  PARTITION_KEY_CHARACTERS_MAX,
  PUT_RECORDS_BYTES_MAX,
  PUT_RECORDS_RECORDS_MAX,
} from '@twinstream/stream-model';
import type { RequestFaults } from '../faults/fault-rule.ts';
import {
  ApiError,
  internalFailure,
  invalidArgument,
  shardRateExceededMessage,
  validationFailed,
} from './api-error.ts';
import { explicitHashKey, partitionHashKey } from './hash-key-text.ts';
import { type KinesisService, membersAnswer, operation } from './operation.ts';
import { blob, list, optional, required, structure, text } from './request-shape.ts';
import type { NewRecord } from './segment.ts';
import { shrinkToFit } from './segment-memory.ts';
import { parseSequenceNumber, sequenceNumberText } from './sequence-numbering.ts';
import { admitRecord } from './shard-limiter.ts';
import { type Shard, type Stream, shardOfHashKey } from './stream.ts';
import { STREAM_ADDRESS, usableStream } from './stream-address.ts';
import type { Members } from './wire-format.ts';

/** The largest record any stream may allow: 10 MiB (API reference, MaxRecordSizeInKiB, read 2026-11). */
const DATA_BYTES_MAX = 10 * 1024 * 1024;
const NO_DATA = new Uint8Array(0);

const RECORD = {
  Data: required(blob({ max: DATA_BYTES_MAX }), NO_DATA),
  PartitionKey: required(text({ min: 1, max: PARTITION_KEY_CHARACTERS_MAX }), ''),
  ExplicitHashKey: optional(text({ pattern: '0|([1-9]\\d{0,38})' })),
};

interface PutEntry {
  readonly Data: Uint8Array;
  readonly PartitionKey: string;
  readonly ExplicitHashKey: string | undefined;
}

/** Outcome of one record. */
type PutResult =
  | { readonly ShardId: string; readonly SequenceNumber: string }
  | { readonly ErrorCode: string; readonly ErrorMessage: string };

export const putRecords = operation(
  structure({
    ...STREAM_ADDRESS,
    Records: required(list(structure(RECORD), { min: 1, max: PUT_RECORDS_RECORDS_MAX }), []),
  }),
  (service, input, faults) => {
    const stream = usableStream(service, input);
    const results = put(service, stream, input.Records, faults);
    const failed = results.filter((result) => 'ErrorCode' in result).length;
    return membersAnswer({ FailedRecordCount: failed, Records: results, ...encryptionMembers(stream) });
  },
);

export const putRecord = operation(
  structure({
    ...STREAM_ADDRESS,
    ...RECORD,
    SequenceNumberForOrdering: optional(text({ pattern: '0|([1-9]\\d{0,128})' })),
  }),
  (service, input, faults) => {
    const stream = usableStream(service, input);
    checkOrdering(service, stream, input.SequenceNumberForOrdering);
    const [result] = put(service, stream, [input], faults);
    if (!result) throw new RangeError('one record has one result');
    if (!('ErrorCode' in result)) return membersAnswer({ ...result, ...encryptionMembers(stream) });
    if (result.ErrorCode === 'InternalFailure') throw internalFailure(result.ErrorMessage);
    throw new ApiError(result.ErrorCode, result.ErrorMessage);
  },
);

function encryptionMembers({ encryptionKeyId }: Stream): Members {
  return encryptionKeyId === undefined ? {} : { EncryptionType: 'KMS' };
}

/** AWS refuses a number that is none of its own (kinesalite 3.3.3, made from answers of AWS, read 2026-11). Throws InvalidArgumentException. */
function checkOrdering(service: KinesisService, stream: Stream, number: string | undefined): void {
  if (number === undefined) return;
  if (parseSequenceNumber(number) !== undefined) return;
  throw invalidArgument(
    `ExclusiveMinimumSequenceNumber ${number} used in PutRecord on stream ${stream.name} under account ` +
      `${service.accountId} is invalid.`,
  );
}

/** A record that is in order, with the shard that takes it. */
interface PlacedRecord extends NewRecord {
  readonly shard: Shard;
}

/**
 * Puts records: a fault of any of them refuses all; then each is taken or refused for itself, so that a record may be
 * refused and a later one of its shard taken, as on AWS.
 */
function put(
  service: KinesisService,
  stream: Stream,
  entries: readonly PutEntry[],
  faults: RequestFaults | undefined,
): readonly PutResult[] {
  const records = entries.map((entry, index) => place(stream, entry, index));
  const bytes = records.reduce((sum, record) => sum + sizeBytes(record), 0);
  if (bytes > PUT_RECORDS_BYTES_MAX) {
    throw invalidArgument(`Records size exceeds ${PUT_RECORDS_BYTES_MAX / 1024 / 1024} MB limit`);
  }
  const nowMs = service.clock.now();
  const results: PutResult[] = [];
  const taken = new Map<Shard, number[]>();
  records.forEach((record, index) => {
    const refused = refusal(service, stream, record, nowMs, faults);
    if (refused) {
      results[index] = refused;
      return;
    }
    const group = taken.get(record.shard);
    if (group) group.push(index);
    else taken.set(record.shard, [index]);
  });
  for (const [shard, indexes] of taken) {
    const group = indexes.flatMap((index) => records[index] ?? []);
    const appended = append(service, shard, group, nowMs);
    indexes.forEach((index, place) => {
      results[index] = appended(place);
    });
  }
  shrinkToFit(service.store.memory);
  return results;
}

function sizeBytes({ keyBytes, data }: NewRecord): number {
  return keyBytes + data.length;
}

function place(
  stream: Stream,
  { PartitionKey, Data, ExplicitHashKey }: PutEntry,
  index: number,
): PlacedRecord {
  const record = { key: PartitionKey, keyBytes: Buffer.byteLength(PartitionKey), data: Data };
  if (sizeBytes(record) > stream.recordBytesMax) {
    throw validationFailed(
      `1 validation error detected: Value at 'records.${index + 1}.member.data' failed to satisfy constraint: ` +
        `Member must have length less than or equal to ${stream.recordBytesMax}, its partition key included`,
    );
  }
  const hashKey =
    ExplicitHashKey === undefined ? partitionHashKey(PartitionKey) : explicitHashKey(ExplicitHashKey);
  if (hashKey === undefined) {
    throw invalidArgument(
      'Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. ' +
        `Specified value was ${ExplicitHashKey}`,
    );
  }
  return { ...record, shard: shardOfHashKey(stream, hashKey) };
}

/** Why a record is not taken, or undefined. */
function refusal(
  service: KinesisService,
  stream: Stream,
  record: PlacedRecord,
  nowMs: number,
  faults: RequestFaults | undefined,
): PutResult | undefined {
  const { counters, accountId, limitsEnforced, random } = service;
  const { id, limiter } = record.shard;
  if (faults?.recordFails?.()) {
    counters.faults.recordsFailed += 1;
    return random() < 0.5 ? rateExceeded(id, stream.name, accountId) : INTERNAL_FAILURE;
  }
  if (limitsEnforced && !admitRecord(limiter, sizeBytes(record), nowMs)) {
    counters.recordsThrottled += 1;
    return rateExceeded(id, stream.name, accountId);
  }
  return undefined;
}

const INTERNAL_FAILURE: PutResult = {
  ErrorCode: 'InternalFailure',
  ErrorMessage: 'Internal service failure.',
};

function rateExceeded(shardId: string, streamName: string, accountId: string): PutResult {
  return {
    ErrorCode: 'ProvisionedThroughputExceededException',
    ErrorMessage: shardRateExceededMessage(shardId, streamName, accountId),
  };
}

/** Appends the records of one shard, all or none, and returns the outcome of the n-th. */
function append(
  service: KinesisService,
  { id, log, numbering, changed }: Shard,
  group: readonly NewRecord[],
  nowMs: number,
): (place: number) => PutResult {
  const { counters, logger, store } = service;
  try {
    const appended = log.append(group, nowMs);
    if (appended !== undefined) {
      changed.notify();
      counters.recordsAccepted += group.length;
      counters.bytesAccepted += group.reduce((sum, record) => sum + sizeBytes(record), 0);
      return (place) => ({
        ShardId: id,
        SequenceNumber: sequenceNumberText(numbering, appended.counters[place] ?? 0, appended.arrivalMs),
      });
    }
  } catch (error) {
    logger.error({ error, shardId: id }, 'records could not be written');
    counters.recordsFailed += group.length;
    return () => INTERNAL_FAILURE;
  }
  counters.recordsFailed += group.length;
  const { bytesMax } = store.memory;
  return () => ({
    ErrorCode: 'InternalFailure',
    ErrorMessage: `This stream lives in memory and its ${bytesMax} bytes are full. Give the server a data folder or a higher bound.`,
  });
}
