import { setTimeout as sleep } from 'node:timers/promises';
import { PUT_RECORDS_RECORDS_MAX } from '@twinstream/stream-model';
import type { StreamTransport, TransportRecord } from '@twinstream/stream-producer';

/** One Kinesis record of a batch and the events in it. */
export interface BatchedRecord {
  readonly record: TransportRecord;
  readonly eventCount: number;
}

/** Concurrent requests, as many as the producer's default. */
const REQUESTS_MAX = 16;
/** Bytes of a request, as the producer's default. */
const REQUEST_BYTES_MAX = 4 * 1_024 * 1_024;
const RETRY_MS = 100;

/**
 * What every Node library does with PutRecords: full batches in parallel, and what failed of one goes into a later one.
 */
export function createBatching(transport: StreamTransport) {
  const signal = new AbortController().signal;
  let batch: BatchedRecord[] = [];
  let batchBytes = 0;
  let acknowledgedCount = 0;
  const requests = new Set<Promise<void>>();

  async function send(records: readonly BatchedRecord[]): Promise<void> {
    const failed: BatchedRecord[] = [];
    try {
      const answers = await transport.putRecords(
        records.map(({ record }) => record),
        signal,
      );
      for (const [index, answer] of answers.entries()) {
        const sent = records[index];
        if (sent === undefined) continue;
        if (answer.status === 'stored') acknowledgedCount += sent.eventCount;
        else failed.push(sent);
      }
    } catch {
      // Throttled, broken off, lost: all of it is retried alike.
      failed.push(...records);
    }
    if (failed.length === 0) return;
    await sleep(RETRY_MS * Math.random());
    for (const record of failed) push(record);
  }

  function flush(): void {
    const records = batch;
    batch = [];
    batchBytes = 0;
    if (records.length === 0) return;
    const request = send(records).finally(() => requests.delete(request));
    requests.add(request);
  }

  function push(record: BatchedRecord): void {
    batch.push(record);
    batchBytes += record.record.data.length + record.record.partitionKey.length;
    if (batch.length >= PUT_RECORDS_RECORDS_MAX || batchBytes >= REQUEST_BYTES_MAX) flush();
  }

  return {
    push,
    /** A promise while as many requests are on their way as may be. */
    room: (): Promise<void> | void => (requests.size >= REQUESTS_MAX ? Promise.race(requests) : undefined),
    async drain(): Promise<void> {
      while (requests.size > 0 || batch.length > 0) {
        flush();
        await Promise.race(requests);
      }
    },
    get acknowledgedCount() {
      return acknowledgedCount;
    },
  };
}
