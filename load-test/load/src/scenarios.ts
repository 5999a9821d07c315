import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultRule, LoadSite } from './load-site.ts';
import { preciseNow } from './observers.ts';

/** The load that a scenario is to shape. */
export interface LoadPlan {
  /** Events per second that are due. */
  readonly rate: number;
  readonly durationMs: number;
  readonly deviceCount: number;
  /** How long DynamoDB is away in the scenario `dynamodb-outage`. */
  readonly outageMs?: number;
}

/** Something that is done to the pipeline while load runs. */
export interface Step {
  /** When, as a share of the load's duration. */
  readonly at: number;
  /** What, as the report words it. */
  readonly what: string;
  act(site: LoadSite): Promise<void>;
}

export interface Scenario {
  readonly purpose: string;
  /** Events of it for each of a load whose rate never changes. Default: 1. */
  readonly loadFactor?: number;
  /** Flags of the simulator besides devices, rate and duration. */
  readonly flags?: (plan: LoadPlan) => readonly string[];
  /** In the order of `at`. */
  readonly steps?: (plan: LoadPlan) => readonly Step[];
}

export const SCENARIO_NAMES = [
  'steady',
  'burst',
  'hot-key',
  'reshard',
  'poison',
  'consumer-outage',
  'dynamodb-outage',
  'throttle',
  'restart',
  'soak',
] as const;
export type ScenarioName = (typeof SCENARIO_NAMES)[number];

const BURST_FACTOR = 3;
const ZIPF_EXPONENT = 1.1;
const MALFORMED_PERCENT = 1;
const KILLS = 4;
/** Mean time between two disturbances of a soak; they come one after the other. */
const SOAK_EVERY_MS = 20_000;

/** Requests that quotas refuse, at rates far above what a healthy account sees. */
const THROTTLES: readonly FaultRule[] = [
  { service: 'kinesis', operation: 'PutRecords', kind: 'partial', rate: 0.02 },
  { service: 'kinesis', operation: 'PutRecords', kind: 'throttle', rate: 0.02 },
  { service: 'kinesis', operation: 'GetRecords', kind: 'throttle', rate: 0.05 },
  { service: 'dynamodb', operation: 'BatchExecuteStatement', kind: 'throttle', rate: 0.02 },
  { service: 'dynamodb', operation: 'BatchExecuteStatement', kind: 'partial', rate: 0.05 },
  { service: 'dynamodb', operation: 'UpdateItem', kind: 'throttle', rate: 0.05 },
  { service: 'firehose', operation: 'PutRecordBatch', kind: 'partial', rate: 0.02 },
];

/** Answers that never come, of requests that took effect. */
const LOST_ANSWERS: readonly FaultRule[] = [
  { service: 'kinesis', operation: 'PutRecords', kind: 'lost-answer', rate: 0.01 },
  { service: 'dynamodb', operation: 'BatchExecuteStatement', kind: 'lost-answer', rate: 0.01 },
  { service: 'dynamodb', operation: 'UpdateItem', kind: 'lost-answer', rate: 0.01 },
];

/** No request of DynamoDB is served, by whomever. */
const DYNAMODB_AWAY: readonly FaultRule[] = [{ service: 'dynamodb', kind: 'error', rate: 1 }];
/** Of the load, where no length is given. */
const OUTAGE_SHARE = 1 / 2;
/** Of the time without an outage, what comes before it: more is left to see the pipeline catch up under load. */
const BEFORE_OUTAGE_SHARE = 1 / 3;

export const PROJECTOR = 'state-projector';
export const ARCHIVER = 'event-archiver';

const doubleShards: Omit<Step, 'at'> = {
  what: 'shards doubled',
  act: async (site) => site.reshard((await site.shardCount()) * 2),
};
const halveShards: Omit<Step, 'at'> = {
  what: 'shards halved',
  act: async (site) => site.reshard(Math.ceil((await site.shardCount()) / 2)),
};
const kill = (name: string): Omit<Step, 'at'> => ({
  what: `kill -9 ${name}`,
  act: (site) => site.kill(name),
});
const faults = (what: string, rules: readonly FaultRule[]): Omit<Step, 'at'> => ({
  what,
  act: (site) => site.setFaults(rules),
});

const SOAK_STEPS: readonly Omit<Step, 'at'>[] = [
  faults('throttles', THROTTLES),
  kill(PROJECTOR),
  faults('answers lost', LOST_ANSWERS),
  doubleShards,
  faults('no faults', []),
  kill(ARCHIVER),
  halveShards,
];

export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  steady: { purpose: 'all devices report at the same rate, without faults' },
  burst: {
    purpose: `${BURST_FACTOR} times the rate for a tenth of every third of the time`,
    loadFactor: 1 + (BURST_FACTOR - 1) / 10,
    flags: ({ durationMs }) => [
      '--burst',
      `${BURST_FACTOR}:${Math.round(durationMs / 30)}ms:${Math.round(durationMs / 3)}ms`,
    ],
  },
  'hot-key': {
    purpose: `few devices send most of the events (Zipf, exponent ${ZIPF_EXPONENT})`,
    flags: () => ['--skew', `zipf:${ZIPF_EXPONENT}`],
  },
  reshard: {
    purpose: 'shards are doubled after a third of the time and halved after two',
    steps: () => [
      { at: 1 / 3, ...doubleShards },
      { at: 2 / 3, ...halveShards },
    ],
  },
  poison: {
    purpose: `${MALFORMED_PERCENT} % of the events are damaged, so that every decoder rejects them`,
    flags: () => ['--malformed', String(MALFORMED_PERCENT)],
  },
  'consumer-outage': {
    purpose: 'the projector is not invoked for the middle third of the time, then catches up',
    steps: () => [
      { at: 1 / 3, what: 'projector disabled', act: (site) => site.setMapping(PROJECTOR, false) },
      { at: 2 / 3, what: 'projector enabled', act: (site) => site.setMapping(PROJECTOR, true) },
    ],
  },
  'dynamodb-outage': {
    purpose: 'DynamoDB fails every request for half of the time, or as long as --outage says, then recovers',
    steps: ({ durationMs, outageMs = durationMs * OUTAGE_SHARE }) => {
      const start = (1 - outageMs / durationMs) * BEFORE_OUTAGE_SHARE;
      return [
        { at: start, ...faults('DynamoDB away', DYNAMODB_AWAY) },
        { at: start + outageMs / durationMs, ...faults('DynamoDB back', []) },
      ];
    },
  },
  throttle: {
    purpose: 'Kinesis, DynamoDB and Firehose refuse 2-5 % of the requests in the middle half of the time',
    steps: () => [
      { at: 1 / 4, ...faults('throttles', THROTTLES) },
      { at: 3 / 4, ...faults('no faults', []) },
    ],
  },
  restart: {
    purpose: `projector and archiver are killed (kill -9) ${KILLS} times each`,
    steps: () =>
      Array.from({ length: 2 * KILLS }, (_, index) => ({
        at: (index + 1) / (2 * KILLS + 2),
        ...kill(index % 2 === 0 ? PROJECTOR : ARCHIVER),
      })),
  },
  soak: {
    purpose: 'throttles, lost answers, kills, reshards and damaged events, in rotation',
    flags: () => ['--malformed', '0.1'],
    steps: ({ durationMs }) => {
      const count = Math.max(SOAK_STEPS.length, Math.floor(durationMs / SOAK_EVERY_MS));
      return Array.from({ length: count }, (_, index) => ({
        at: (index + 0.5) / (count + 1),
        ...(SOAK_STEPS[index % SOAK_STEPS.length] ?? doubleShards),
      }));
    },
  },
};

/** Between two looks at whether the load has begun. */
const POLL_MS = 50;

export interface StepRun {
  readonly site: LoadSite;
  readonly durationMs: number;
  readonly hasBegun: () => boolean;
  /** Told of each step before it is taken. */
  readonly onStep: (what: string) => void;
  /** Aborted when the load has ended. */
  readonly ending: AbortSignal;
}

/** Takes the steps at their times. A step that fails is the scenario's failure: what it was to show was not shown. */
export async function runSteps(
  steps: readonly Step[],
  { site, durationMs, hasBegun, onStep, ending }: StepRun,
): Promise<readonly { atMs: number; what: string }[]> {
  const marks: { atMs: number; what: string }[] = [];
  const pause = (ms: number) => sleep(Math.max(0, ms), undefined, { signal: ending }).catch(() => undefined);
  while (!hasBegun() && !ending.aborted) await pause(POLL_MS);
  const startMs = preciseNow();
  for (const { at, what, act } of steps) {
    await pause(startMs + at * durationMs - preciseNow());
    if (ending.aborted) break;
    marks.push({ atMs: preciseNow(), what });
    onStep(what);
    await act(site);
  }
  return marks;
}
