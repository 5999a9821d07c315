import type { FaultRule } from '@twinstream/local-aws/kinesis';

/** Longer than the second after which most consumers ask again. */
const SLOW_READ_MS = 1_500;

type Strike = readonly [operation: string, kind: FaultRule['kind'], rate: number, delayMs?: number];

/** What strikes requests of readers; what is put is never struck, so that the ledger knows what the stream holds. */
const STRIKES: readonly Strike[] = [
  ['GetRecords', 'throttle', 0.05],
  ['GetRecords', 'error', 0.02],
  ['GetRecords', 'lost-answer', 0.02],
  ['GetRecords', 'delay', 0.03, SLOW_READ_MS],
  ['GetRecords', 'expired-iterator', 0.01],
  ['GetShardIterator', 'throttle', 0.1],
  ['GetShardIterator', 'error', 0.05],
  ['ListShards', 'throttle', 0.1],
  ['DescribeStreamSummary', 'throttle', 0.1],
  ['SubscribeToShard', 'error', 0.05],
];

/** Rules whose draws follow from the seed. `share` 0 to 1 scales every rate. */
export function labFaults(seed: number, share: number): readonly FaultRule[] {
  if (share === 0) return [];
  return STRIKES.map(([operation, kind, rate, delayMs], index) => ({
    ...{ service: 'kinesis', operation, kind, rate: rate * share, seed: seed * STRIKES.length + index },
    ...(delayMs === undefined ? {} : { delayMs }),
  }));
}
