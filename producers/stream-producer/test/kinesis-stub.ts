import { type Clock, CodedError } from '@twinstream/runtime';
import {
  contains,
  evenRanges,
  type HashKeyRange,
  hashKey,
  type SequenceNumber,
  type Shard,
  type ShardId,
  sequenceNumber,
  shardId,
} from '@twinstream/stream-model';
import { seededRandom } from '@twinstream/test-kit';
import type { StreamTransport, TransportAnswer, TransportRecord } from '../src/transport.ts';

/** What goes wrong, each as a probability from 0 to 1. */
export interface StubFaults {
  /** A record fails inside an answered request, as throttled or with InternalFailure. */
  readonly recordFails: number;
  /** A request is refused whole for its rate. */
  readonly requestThrottled: number;
  /** A request is stored, and the connection breaks before the answer. */
  readonly answerLost: number;
  /** A request never arrives. */
  readonly requestLost: number;
  /** A request is stored long after the caller has stopped waiting. */
  readonly landsLate: number;
}

export const NO_FAULTS: StubFaults = {
  recordFails: 0,
  requestThrottled: 0,
  answerLost: 0,
  requestLost: 0,
  landsLate: 0,
};

export interface KinesisStubOptions {
  readonly clock: Clock;
  readonly seed?: number;
  readonly shardCount?: number;
  readonly faults?: StubFaults;
  /** Time from sending to storing, of uniform distribution, and again from storing to answering. */
  readonly latencyMs?: readonly [least: number, most: number];
  /** Enforced per shard and second, when given. */
  readonly shardRecordsPerSecond?: number;
  readonly shardBytesPerSecond?: number;
  readonly shardsPerPage?: number;
}

export interface StoredRecord extends TransportRecord {
  readonly shardId: ShardId;
  readonly sequenceNumber: SequenceNumber;
  readonly arrivalMs: number;
}

/** What the stub saw. */
export interface StubCounts {
  requests: number;
  requestsAnswered: number;
  requestsThrottled: number;
  records: number;
  bytes: number;
  stored: number;
  /** In answers that reached the caller. */
  storedAnswers: number;
  throttledAnswers: number;
  rejectedAnswers: number;
  listShards: number;
}

/** A Kinesis stream in memory, on a clock of its own, that fails as it is told. */
export interface KinesisStub extends StreamTransport {
  /** All records ever stored, in the order of their arrival. */
  readonly records: readonly StoredRecord[];
  readonly shards: readonly Shard[];
  readonly counts: Readonly<StubCounts>;
  faults: StubFaults;
  /** Refuses every record for its rate while true. */
  isThrottling: boolean;
  split(parent: ShardId, at?: bigint): void;
  merge(left: ShardId, right: ShardId): void;
  openShards(): readonly Shard[];
}

const LATE_MS = 25_000;
const THROTTLED = 'ProvisionedThroughputExceededException';

export function createKinesisStub(options: KinesisStubOptions): KinesisStub {
  const { clock } = options;
  const random = seededRandom(options.seed ?? 1).next;
  const [least, most] = options.latencyMs ?? [2, 40];
  const latencyMs = (): number => least + Math.floor(random() * (most - least + 1));
  const shards: Shard[] = [];
  const stored: StoredRecord[] = [];
  const usage = new Map<string, { records: number; bytes: number }>();
  const counts: StubCounts = {
    requests: 0,
    requestsAnswered: 0,
    requestsThrottled: 0,
    records: 0,
    bytes: 0,
    stored: 0,
    storedAnswers: 0,
    throttledAnswers: 0,
    rejectedAnswers: 0,
    listShards: 0,
  };

  function open(hashKeyRange: HashKeyRange, parents: readonly ShardId[] = []): void {
    const [parentShardId, adjacentParentShardId] = parents;
    shards.push({
      shardId: shardId(`shardId-${String(shards.length).padStart(12, '0')}`),
      hashKeyRange,
      isOpen: true,
      ...(parentShardId === undefined ? {} : { parentShardId }),
      ...(adjacentParentShardId === undefined ? {} : { adjacentParentShardId }),
    });
  }
  for (const range of evenRanges(options.shardCount ?? 2)) open(range);

  const openShards = (): readonly Shard[] => shards.filter((shard) => shard.isOpen);

  function close(id: ShardId): Shard {
    const at = shards.findIndex((shard) => shard.shardId === id && shard.isOpen);
    const shard = shards[at];
    if (shard === undefined) throw new Error(`${id} is not open`);
    shards[at] = { ...shard, isOpen: false };
    return shard;
  }

  function hasCapacity(shard: Shard, bytes: number): boolean {
    if (stub.isThrottling) return false;
    const key = `${shard.shardId}@${Math.floor(clock.now() / 1_000)}`;
    const used = usage.get(key) ?? { records: 0, bytes: 0 };
    usage.set(key, used);
    if (used.records + 1 > (options.shardRecordsPerSecond ?? Number.POSITIVE_INFINITY)) return false;
    if (used.bytes + bytes > (options.shardBytesPerSecond ?? Number.POSITIVE_INFINITY)) return false;
    used.records += 1;
    used.bytes += bytes;
    return true;
  }

  function store(record: TransportRecord): TransportAnswer {
    const key =
      record.explicitHashKey === undefined ? hashKey(record.partitionKey) : BigInt(record.explicitHashKey);
    const shard = shards.find((candidate) => candidate.isOpen && contains(candidate.hashKeyRange, key));
    if (shard === undefined) throw new Error(`no shard for ${key}`);
    if (!hasCapacity(shard, bytesOf(record)))
      return { status: 'rejected', errorCode: THROTTLED, message: 'rate' };
    if (random() < stub.faults.recordFails) {
      const errorCode = random() < 0.5 ? THROTTLED : 'InternalFailure';
      return { status: 'rejected', errorCode, message: 'injected' };
    }
    counts.stored += 1;
    const number = sequenceNumber(String(counts.stored + 495_000_000_000));
    // A copy: the caller may use its memory again.
    stored.push({
      shardId: shard.shardId,
      sequenceNumber: number,
      ...record,
      data: Uint8Array.from(record.data),
      arrivalMs: clock.now(),
    });
    return { status: 'stored', shardId: shard.shardId, sequenceNumber: number };
  }

  /** Stores the records of one request in any order: Kinesis promises none. */
  function storeAll(records: readonly TransportRecord[]): TransportAnswer[] {
    const answers: TransportAnswer[] = [];
    const order = records.map((_, index) => index);
    for (let at = order.length - 1; at > 0; at -= 1) {
      const other = Math.floor(random() * (at + 1));
      [order[at], order[other]] = [order[other] ?? 0, order[at] ?? 0];
    }
    for (const index of order) {
      const record = records[index];
      if (record !== undefined) answers[index] = store(record);
    }
    return answers;
  }

  function tally(answers: readonly TransportAnswer[]): void {
    counts.requestsAnswered += 1;
    for (const answer of answers) {
      if (answer.status === 'stored') counts.storedAnswers += 1;
      else if (answer.errorCode === THROTTLED) counts.throttledAnswers += 1;
      else counts.rejectedAnswers += 1;
    }
  }

  const stub: KinesisStub = {
    records: stored,
    shards,
    counts,
    faults: options.faults ?? NO_FAULTS,
    isThrottling: false,
    openShards,
    async putRecords(records, signal) {
      counts.requests += 1;
      counts.records += records.length;
      counts.bytes += records.reduce((sum, record) => sum + bytesOf(record), 0);
      const { requestThrottled, answerLost, requestLost, landsLate } = stub.faults;
      const outcome = random();
      if (outcome < landsLate) {
        void clock.sleep(LATE_MS).then(() => storeAll(records));
        return untilAborted(signal);
      }
      await clock.sleep(latencyMs());
      if (outcome < landsLate + requestLost) throw broken();
      if (outcome < landsLate + requestLost + requestThrottled) {
        counts.requestsThrottled += 1;
        throw new CodedError('STREAM_THROTTLED', 'injected', { retryable: true });
      }
      const answers = storeAll(records);
      await clock.sleep(latencyMs());
      if (outcome < landsLate + requestLost + requestThrottled + answerLost) throw broken();
      if (signal.aborted) throw broken();
      tally(answers);
      return answers;
    },
    async listShards(nextToken) {
      counts.listShards += 1;
      await clock.sleep(latencyMs());
      const from = Number(nextToken ?? 0);
      const to = from + (options.shardsPerPage ?? 1_000);
      const page = shards.slice(from, to);
      return to < shards.length ? { shards: page, nextToken: String(to) } : { shards: page };
    },
    split(parent, at) {
      const { hashKeyRange } = close(parent);
      if (hashKeyRange.start === hashKeyRange.end) throw new Error(`${parent} holds one hash key only`);
      const middle = at ?? (hashKeyRange.start + hashKeyRange.end + 1n) / 2n;
      open({ start: hashKeyRange.start, end: middle - 1n }, [parent]);
      open({ start: middle, end: hashKeyRange.end }, [parent]);
    },
    merge(left, right) {
      const [low, high] = [close(left), close(right)];
      open({ start: low.hashKeyRange.start, end: high.hashKeyRange.end }, [left, right]);
    },
  };
  return stub;
}

export function bytesOf(record: TransportRecord): number {
  return record.data.length + Buffer.byteLength(record.partitionKey);
}

function broken(): CodedError {
  return new CodedError('STREAM_UNAVAILABLE', 'connection reset', { retryable: true });
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
