/**
 * Prices of AWS in us-east-1, in US dollars, as their pricing pages said in November 2026, unless another source stands beside them. Those of
 * provisioned units, recovery, logs, IoT Core, Fargate and load balancers are the published ones as commonly quoted, and were not read from the pages again. Prices
 * change: confirm them before money depends on them.
 */
export const PRICES = {
  date: '2026-11',
  region: 'us-east-1',
  kinesis: {
    shardHour: 0.015,
    /** Beyond 24 hours, up to 7 days; each shard. */
    retentionShardHour: 0.02,
    /** 25 KB, rounded up for each record. */
    putPayloadUnit: 0.014 / 1e6,
    onDemandStreamHour: 0.04,
    /** Each record rounds up to 1 KB. */
    onDemandGbIn: 0.08,
    onDemandGbOut: 0.04,
    onDemandGbMonthRetained: 0.1,
    /**
     * On-demand Advantage, of a whole account and region: no stream-hours, GB at least 60 % cheaper than on demand ("Choose the right mode", developer
     * guide, read 2026-12; GB in 0.032 in public price tables of 2026). At least 25 MiB/s are billed.
     */
    advantageShare: 0.4,
    advantageBytesPerSecondMin: 25 * 1_024 * 1_024,
  },
  lambda: { request: 0.2 / 1e6, gbSecond: 0.0000133334 },
  dynamoDb: {
    writeUnit: 0.625 / 1e6,
    readUnit: 0.125 / 1e6,
    gbMonth: 0.25,
    /** Provisioned: a unit a second, for an hour ("Pricing for Provisioned Capacity"). */
    writeUnitHour: 0.00065,
    readUnitHour: 0.00013,
    /** What is left of it: up to 54 % and 77 % less, paid in part in advance ("DynamoDB reserved capacity", 77 %; docs.archera.ai, 54 % and 77 %, March 2026). */
    reservedOneYearShare: 0.46,
    reservedThreeYearShare: 0.23,
    /** Point-in-time recovery, on the size of the table. */
    recoveryGbMonth: 0.2,
  },
  logs: { gbIn: 0.5, gbMonth: 0.03 },
  /** Messages and rules in steps of 5 KB; a Basic Ingest message is not billed, its rule and action are ("AWS IoT Core pricing"). */
  iot: {
    connectionMinute: 0.08 / 1e6,
    /** The first billion of a month, the next four, and all others. */
    messages: [
      { upTo: 1e9, each: 1 / 1e6 },
      { upTo: 5e9, each: 0.8 / 1e6 },
      { upTo: Number.POSITIVE_INFINITY, each: 0.7 / 1e6 },
    ],
    ruleAndAction: 0.3 / 1e6,
  },
  /** Linux on arm64 ("AWS Fargate Pricing"), a load balancer and its capacity units, a public IPv4 address, gp3: as commonly quoted, not read again. */
  fargate: { vCpuHour: 0.03238, gbHour: 0.00356 },
  loadBalancer: { hour: 0.0225, capacityUnitHour: 0.008 },
  publicIpHour: 0.005,
  ebs: { gbMonth: 0.08 },
  firehose: { gb: 0.029 },
  s3: { gbMonth: 0.023, put: 0.005 / 1_000 },
} as const;

export const HOURS_A_MONTH = 730;
export const SECONDS_A_MONTH = HOURS_A_MONTH * 3_600;
export const GB = 1e9;
export const PRICE_SOURCE = `published prices of AWS, ${PRICES.region}, ${PRICES.date}`;
