import { type Random, seededRandom } from '@twinstream/test-kit';
import type { FaultRates } from './faults.ts';
import { DAMAGE_KINDS, type DamageKind } from './operator/do-damage.ts';

export type OperatorErrand = 'redrive' | 'repair' | 'replay' | 'promotion';

/** What an operator does in a world. */
export interface OperatorScenario {
  /** While devices send and the live consumers work, one after the other. */
  readonly beside: readonly OperatorErrand[];
  /** When all of that is over. */
  readonly behind: readonly OperatorErrand[];
  /** Done at the end, and repaired. */
  readonly damage: DamageKind | 'none';
  readonly checkpointMs: number;
  /** Entries a second; absent: as fast as it goes. */
  readonly rate?: number;
}

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
  /** Approximate number of names besides labels. */
  readonly attributeNameBytesMax: number;
  readonly faultRates: FaultRates;
  readonly poisonShare: number;
  /** Whether pages, snapshots and states are written in batches, by the code that does so on AWS. */
  readonly writesInBatches: boolean;
  /** Whether every second container of the projector runs the release before. */
  readonly mixesReleases?: true;
  /** Absent in worlds without one. */
  readonly operator?: OperatorScenario;
  /** Present where some devices have payloads of their own shape. */
  readonly foreign?: ForeignScenario;
}

/** Devices whose payloads a mapping makes events of. */
export interface ForeignScenario {
  /**
   * Number of records after which new containers have the second version of the mapping; absent: none, and no device has
   * the newer firmware, which only that version knows. Operators have the second version all the time.
   */
  readonly changeAfter?: number;
  /** Which of these devices have keys for their events. Absent: none, all of them count. */
  readonly keyed?: 'some' | 'all';
}

/** What one of the names of simulated devices takes of the bound. */
const ATTRIBUTE_NAME_BYTES = 51;

/** How many worlds write in batches. */
const WRITES_IN_BATCHES = 0.25;
/** Far above seeds that anybody runs: draws of their own for each seed. */
const WRITES_DRAWS = 2 ** 52;

/** How many worlds have an operator. */
const OPERATOR = 0.2;

export function drawScenario(random: Random): Scenario {
  const from = (low: number, high: number) => low + random.integer(high - low + 1);
  const hostility = random.pick([0, 0.3, 1, 2]);
  const parallelizationFactor = random.pick([1, 1, 1, 2]);
  const operator = random.chance(OPERATOR) ? drawOperator(random, parallelizationFactor) : undefined;
  return {
    mapping: random.pick(['engine', 'adversary', 'adversary']),
    shardCount: from(1, 3),
    reshardCount: random.pick([0, 1, 2, 3]),
    deviceCount: from(1, 3),
    eventCount: from(6, 40),
    batchRecordsMax: from(1, 8),
    parallelizationFactor,
    triesMax: random.pick([Number.POSITIVE_INFINITY, 4, 2]),
    aggregate: random.chance(0.5),
    eventsPerPageMax: from(1, 3),
    pagesPerSnapshot: 2,
    headsMax: random.pick([1, 2, 100]),
    sessionsMax: from(1, 2),
    rangesMax: from(1, 3),
    correctionsMax: from(1, 2),
    marksMax: random.pick([1, 1, 2, 3]),
    attributeNameBytesMax: ATTRIBUTE_NAME_BYTES * random.pick([1, 2, 2, 1_000]),
    faultRates: {
      throttle: 0.02 * hostility,
      'lost-answer': 0.02 * hostility,
      'late-landing': 0.02 * hostility,
      'asked-twice': 0.01 * hostility,
      'crash-before': 0.005 * hostility,
      'crash-after': 0.005 * hostility,
    },
    writesInBatches: false,
    poisonShare: operator === undefined ? 0.04 : 0.12,
    ...(operator === undefined ? {} : { operator }),
  };
}

/**
 * Some of all worlds write in batches, with more devices that may share one. Draws of its own decide which: the others
 * remain what they are.
 */
export function drawWrites(scenario: Scenario, seed: number): Scenario {
  const random = seededRandom(seed + WRITES_DRAWS);
  if (!random.chance(WRITES_IN_BATCHES)) return scenario;
  const deviceCount = scenario.deviceCount + 1 + random.integer(3);
  return { ...scenario, writesInBatches: true, deviceCount };
}

/** How many of the worlds that do not write in batches mix two releases. */
const MIXES_RELEASES = 0.1;
const RELEASE_DRAWS = 2 ** 50;

/** Some of all worlds are in the middle of a deployment, or of the way back from it, by draws of its own. */
export function drawReleases(scenario: Scenario, seed: number): Scenario {
  const isMixed = !scenario.writesInBatches && seededRandom(seed + RELEASE_DRAWS).chance(MIXES_RELEASES);
  return isMixed ? { ...scenario, mixesReleases: true } : scenario;
}

/** How many worlds have foreign devices, and in how many of these the mapping changes. */
const FOREIGN = 0.2;
const MAPPING_CHANGES = 0.5;
const FOREIGN_DRAWS = 2 ** 51;

/** Some of all worlds have foreign devices, by draws of its own. */
export function drawForeign(scenario: Scenario, seed: number): Scenario {
  const random = seededRandom(seed + FOREIGN_DRAWS);
  if (!random.chance(FOREIGN)) return scenario;
  if (!random.chance(MAPPING_CHANGES)) return { ...scenario, foreign: {} };
  const changeAfter = random.integer(scenario.eventCount);
  const { operator, ...rest } = scenario;
  if (operator === undefined) return { ...rest, foreign: { changeAfter } };
  // A page can only be restored by the version of the mapping that made it.
  const withoutRepair = (errands: readonly OperatorErrand[]) =>
    errands.filter((errand) => errand !== 'repair');
  const changed: OperatorScenario = {
    ...operator,
    beside: withoutRepair(operator.beside),
    behind: ['redrive', ...withoutRepair(operator.behind)],
    damage: 'none',
  };
  return { ...rest, operator: changed, foreign: { changeAfter } };
}

/** How many worlds have devices whose events have keys. */
const KEYED = 0.2;
const KEYED_DRAWS = 2 ** 49;

/** Some of all worlds have devices whose events have keys, by draws of its own. */
export function drawKeyed(scenario: Scenario, seed: number): Scenario {
  if (!seededRandom(seed + KEYED_DRAWS).chance(KEYED)) return scenario;
  const { foreign } = scenario;
  return { ...scenario, foreign: foreign === undefined ? { keyed: 'all' } : { ...foreign, keyed: 'some' } };
}

/** Above a parallelization factor of 1 repair and promotion are refused, and a redrive finds nothing finished. */
function drawOperator(random: Random, parallelizationFactor: number): OperatorScenario {
  const errands: readonly OperatorErrand[] =
    parallelizationFactor === 1
      ? ['redrive', 'redrive', 'repair', 'replay', 'promotion', 'promotion']
      : ['redrive', 'replay'];
  const rate = random.pick([undefined, undefined, 8, 40]);
  return {
    beside: Array.from({ length: random.integer(3) }, () => random.pick(errands)),
    behind: Array.from({ length: random.integer(3) }, () => random.pick(errands)),
    damage: parallelizationFactor === 1 && random.chance(0.5) ? random.pick(DAMAGE_KINDS) : 'none',
    checkpointMs: random.pick([0, 30, 300]),
    ...(rate === undefined ? {} : { rate }),
  };
}
