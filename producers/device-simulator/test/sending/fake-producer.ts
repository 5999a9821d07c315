import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { type FailureCode, ProducerError, type PutOutcome } from '@twinstream/stream-producer';
import type { SimulatedRecord } from '../../src/sending/simulated-record.ts';

const SHARD = shardId('shardId-000000000000');

export interface FakeProducer {
  put(
    record: SimulatedRecord,
    onOutcome?: (outcome: PutOutcome<SimulatedRecord>) => void,
  ): Promise<void> | void;
  close(signal?: AbortSignal): Promise<never>;
  readonly records: readonly SimulatedRecord[];
  readonly isClosed: () => boolean;
  /** Gives every record without an outcome one, in order. */
  acknowledgeAll(attempts?: number): void;
  failAll(code: FailureCode, details?: { attempts?: number; possiblyStored?: boolean }): void;
}

/**
 * A producer in memory. `room` is how many records it takes before `put` waits; `answers` false leaves outcomes to the
 * test. Closing answers everything that is left, or fails it when the signal is aborted.
 */
export function fakeProducer({ room = Number.POSITIVE_INFINITY, answers = true } = {}): FakeProducer {
  const records: SimulatedRecord[] = [];
  const pending: { record: SimulatedRecord; settle: (outcome: PutOutcome<SimulatedRecord>) => void }[] = [];
  const waiting: { accept: () => void; refuse: (error: ProducerError) => void }[] = [];
  let isClosed = false;
  let sequence = 0;

  function acknowledge({ record, settle }: (typeof pending)[number], attempts: number): void {
    sequence += 1;
    const position = {
      shardId: SHARD,
      sequenceNumber: sequenceNumber(String(sequence)),
      subSequenceNumber: 0,
    };
    settle({ status: 'acknowledged', record, position, attempts });
  }

  function acknowledgeAll(attempts = 1): void {
    for (const entry of pending.splice(0)) acknowledge(entry, attempts);
    for (const { accept } of waiting.splice(0)) accept();
  }

  function failAll(code: FailureCode, { attempts = 1, possiblyStored = false } = {}): void {
    const reason = new ProducerError(code, code);
    for (const { record, settle } of pending.splice(0)) {
      settle({ status: 'failed', record, reason, attempts, possiblyStored });
    }
    for (const { accept } of waiting.splice(0)) accept();
  }

  return {
    records,
    isClosed: () => isClosed,
    acknowledgeAll,
    failAll,
    put(record, onOutcome = () => undefined) {
      if (isClosed) return Promise.reject(new ProducerError('PRODUCER_CLOSED', 'closed'));
      const accept = (): void => {
        records.push(record);
        pending.push({ record, settle: onOutcome });
        if (answers) queueMicrotask(() => acknowledgeAll());
      };
      if (pending.length < room) return accept();
      return new Promise<void>((resolve, reject) => {
        waiting.push({ accept: () => resolve(accept()), refuse: reject });
      });
    },
    async close(signal) {
      isClosed = true;
      if (signal?.aborted) {
        for (const { refuse } of waiting.splice(0)) refuse(new ProducerError('PRODUCER_CLOSED', 'closed'));
        failAll('PRODUCER_ABORTED');
      } else {
        while (pending.length > 0 || waiting.length > 0) acknowledgeAll();
      }
      return undefined as never;
    },
  };
}
