/**
 * Prices of AWS in us-east-1, in US dollars, as their pricing pages said in November 2026. They change: confirm before
 * money depends on them.
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
  },
  lambda: { request: 0.2 / 1e6, gbSecond: 0.0000133334 },
  dynamoDb: { writeUnit: 0.625 / 1e6, readUnit: 0.125 / 1e6, gbMonth: 0.25 },
  firehose: { gb: 0.029 },
  s3: { gbMonth: 0.023, put: 0.005 / 1_000 },
} as const;

export const HOURS_A_MONTH = 730;
export const SECONDS_A_MONTH = HOURS_A_MONTH * 3_600;
export const GB = 1e9;
export const PRICE_SOURCE = `pricing pages of AWS, ${PRICES.region}, read ${PRICES.date}`;
