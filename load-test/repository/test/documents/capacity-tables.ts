import {
  type CapacityPlan,
  figureValue,
  PRICES,
  planCapacity,
  readable,
  SECONDS_A_MONTH,
  type Workload,
  workloadWithin,
} from '@twinstream/capacity';

/** The load of the page: one event of 170 bytes in ten seconds, aggregated. */
const FLEET = { eventsPerSecondPerDevice: 0.1, eventBytes: 170, isAggregated: true } as const;
export const FLEETS = [1_000, 10_000, 100_000, 1_000_000, 10_000_000] as const;
export const BUDGETS_SECONDS = [2, 10, 60] as const;
/** Of `npm run bench -- write-units`: what one batch of it holds. */
const BILLED = { deviceCount: 25, eventBytes: 175, windowSeconds: 25 } as const;

/** Rows of the table of fleets, as the page must have them. */
export function fleetRows(): readonly (readonly string[])[] {
  return FLEETS.flatMap((deviceCount) => BUDGETS_SECONDS.map((budget) => fleetRow(deviceCount, budget)));
}

function fleetRow(deviceCount: number, budgetSeconds: number): readonly string[] {
  const { workload = { ...FLEET, deviceCount } } = workloadWithin({ ...FLEET, deviceCount }, budgetSeconds);
  const { twinstream, baseline } = planCapacity(workload);
  const ours = (key: string) => readable(figureValue(twinstream, key));
  const theirs = (key: string) => readable(figureValue(baseline, key));
  return [
    readable(deviceCount),
    `${budgetSeconds} s`,
    `${ours('lingerSeconds')} s`,
    `${workload.windowSeconds} s`,
    ours('shards'),
    ours('eventsPerRecord'),
    ours('eventsPerPage'),
    ours('writeUnitsPerEvent'),
    ours('dollars'),
    ours('dollarsMonth12'),
    ours('dollarsPerMillionEvents'),
    theirs('dollars'),
    theirs('dollarsMonth12'),
    theirs('dollarsPerMillionEvents'),
  ];
}

const DESIGNS = ['twinstream', 'coalesced', 'baseline'] as const;
const COMPARED = [
  ['dollars', 'on demand, month 1'],
  ['dollarsMonth12', 'on demand, month 12'],
  ['dollarsProvisioned', 'provisioned, month 1'],
  ['dollarsProvisionedMonth12', 'provisioned, month 12'],
  ['dynamoDbDollars', 'of these, requests on demand'],
  ['dynamoDbProvisionedDollars', 'of these, requests provisioned'],
  ['dynamoDbReservedThreeYearsDollars', 'the same reserved for three years'],
  ['recoveryDollarsMonth12', 'of these, point-in-time recovery, month 12'],
  ['headMissShare', 'devices of a batch whose state is read, share'],
  ['writeUnitsPerEvent', 'write units an event'],
] as const;

/** Rows of "Three designs": 1,000,000 devices within 10 s and within a minute. */
export function designRows(): readonly (readonly string[])[] {
  const plans = [10, 60].map((budget) => {
    const fleet = { ...FLEET, deviceCount: 1_000_000 };
    return planCapacity(workloadWithin(fleet, budget).workload ?? fleet);
  });
  return COMPARED.map(([key, name]) => [
    name,
    ...plans.flatMap((plan) => DESIGNS.map((design) => readable(figureValue(plan[design], key)))),
  ]);
}

/** Planned columns of "A user’s dollar", and the plan for the load that was billed. */
export function dollarRow(eventsPerPage: number) {
  const { twinstream, baseline } = planCapacity({
    deviceCount: 1_000,
    eventsPerSecondPerDevice: eventsPerPage,
    eventBytes: FLEET.eventBytes,
    isAggregated: true,
  });
  const billed = planCapacity({
    ...BILLED,
    eventsPerSecondPerDevice: eventsPerPage / BILLED.windowSeconds,
  });
  return {
    plannedUnits: figureValue(billed.twinstream, 'writeUnitsPerEvent'),
    baselineUnits: figureValue(billed.baseline, 'writeUnitsPerEvent'),
    eventsPerPage: figureValue(twinstream, 'eventsPerPage'),
    dollars: readable(figureValue(twinstream, 'dollarsPerMillionEvents')),
    baselineDollars: readable(figureValue(baseline, 'dollarsPerMillionEvents')),
  };
}

const PAPER = [
  { eventsPerSecond: 100_000, budgetSeconds: 2 },
  { eventsPerSecond: 100_000, budgetSeconds: 60 },
  { eventsPerSecond: 1_000_000, budgetSeconds: 2 },
  { eventsPerSecond: 1_000_000, budgetSeconds: 60 },
] as const;
const GB = 1e9;
const MIB = 1_024 * 1_024;

const paperPlans = PAPER.map(({ eventsPerSecond, budgetSeconds }) => {
  const workload: Workload = { ...FLEET, deviceCount: eventsPerSecond / FLEET.eventsPerSecondPerDevice };
  return planCapacity(workloadWithin(workload, budgetSeconds).workload ?? workload);
});

const shards = ({ twinstream }: CapacityPlan) => figureValue(twinstream, 'shards');
const concurrency = ({ twinstream }: CapacityPlan) => figureValue(twinstream, 'concurrency');
const reserved = ({ twinstream }: CapacityPlan) => figureValue(twinstream, 'reservedConcurrency');
const unitsPerSecond = ({ twinstream }: CapacityPlan) => figureValue(twinstream, 'writeUnitsPerSecond');
const firehoseMiBPerSecond = ({ twinstream }: CapacityPlan) =>
  ((figureValue(twinstream, 'firehoseDollars') / PRICES.firehose.gb) * GB) / SECONDS_A_MONTH / MIB;

/** Rows of "On paper": the name of a figure, its value for each load, the quota. */
export function paperRows(): readonly (readonly string[])[] {
  const row = (name: string, of: (plan: CapacityPlan) => number, quota: string) => [
    name,
    ...paperPlans.map((plan) => readable(of(plan))),
    quota,
  ];
  return [
    row('shards', shards, '20,000'),
    row('concurrent executions', concurrency, '1,000'),
    row('reserved concurrency', reserved, '900'),
    row('write units/s, both tables', unitsPerSecond, '40,000 each'),
    row('the same, baseline', ({ baseline }) => figureValue(baseline, 'writeUnitsPerSecond'), '40,000 each'),
    row('MiB/s into Firehose', firehoseMiBPerSecond, '5'),
  ];
}

/** Rows of "What breaks first": a quota, and the events a second at which each budget meets it; two digits that count. */
export function limitRows(): readonly (readonly string[])[] {
  const [short, long] = [paperPlans[0], paperPlans[1]];
  const metAt = (plan: CapacityPlan | undefined, of: (plan: CapacityPlan) => number, quota: number) =>
    plan === undefined
      ? ''
      : Number(
          ((figureValue(plan.twinstream, 'eventsPerSecond') * quota) / of(plan)).toPrecision(2),
        ).toLocaleString('en-US');
  const row = (name: string, of: (plan: CapacityPlan) => number, quota: number) => [
    name,
    metAt(short, of, quota),
    metAt(long, of, quota),
  ];
  const unitsOfTable = (plan: CapacityPlan) => unitsPerSecond(plan) / 2;
  return [
    row('DynamoDB: 4,000 write units/s of a new table', unitsOfTable, 4_000),
    row('Firehose: 5 MiB/s of a stream', firehoseMiBPerSecond, 5),
    row('DynamoDB: 40,000 write units/s of a table', unitsOfTable, 40_000),
    row('Lambda: 900 of 1,000 executions that may be reserved', reserved, 900),
    row('Kinesis: 20,000 shards', shards, 20_000),
  ];
}
