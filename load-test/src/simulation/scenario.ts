import type { FaultRates } from './faults.ts';
import type { Random } from './random.ts';

/** What differs from seed to seed. Limits are tiny, so that paths which are rare in production run all the time. */
export interface Scenario {
  /** `engine`: the mapping that `npm start` runs. `adversary`: one that delivers as badly as the rules allow. */
  readonly mapping: 'engine' | 'adversary';
  readonly shardCount: number;
  readonly reshardCount: number;
  readonly deviceCount: number;
  readonly eventCount: number;
  readonly batchRecordsMax: number;
  readonly parallelizationFactor: number;
  readonly triesMax: number;
  /** Whether the producer packs records. */
  readonly aggregate: boolean;
  readonly eventsPerPageMax: number;
  readonly pagesPerSnapshot: number;
  readonly headsMax: number;
  readonly sessionsMax: number;
  readonly rangesMax: number;
  readonly correctionsMax: number;
  readonly marksMax: number;
  readonly faultRates: FaultRates;
}

export function drawScenario(random: Random): Scenario {
  const from = (low: number, high: number) => low + random.integer(high - low + 1);
  const hostility = random.pick([0, 0.3, 1, 2]);
  return {
    mapping: random.pick(['engine', 'adversary', 'adversary']),
    shardCount: from(1, 3),
    reshardCount: random.pick([0, 1, 2, 3]),
    deviceCount: from(1, 3),
    eventCount: from(6, 40),
    batchRecordsMax: from(1, 8),
    parallelizationFactor: random.pick([1, 1, 1, 2]),
    triesMax: random.pick([Number.POSITIVE_INFINITY, 4, 2]),
    aggregate: random.chance(0.5),
    eventsPerPageMax: from(1, 3),
    pagesPerSnapshot: 2,
    headsMax: random.pick([1, 2, 100]),
    sessionsMax: from(1, 2),
    rangesMax: from(1, 3),
    correctionsMax: from(1, 2),
    marksMax: random.pick([1, 1, 2, 3]),
    faultRates: {
      throttle: 0.02 * hostility,
      'lost-answer': 0.02 * hostility,
      'late-landing': 0.02 * hostility,
      'asked-twice': 0.01 * hostility,
      'crash-before': 0.005 * hostility,
      'crash-after': 0.005 * hostility,
    },
  };
}
