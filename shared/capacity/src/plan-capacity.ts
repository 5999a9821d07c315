import { RETENTION_HOURS } from '@twinstream/stream-model';
import { ASSUMPTION_SOURCE, ASSUMPTIONS } from './assumptions.ts';
import { type Batches, planBatches } from './batches.ts';
import { type CapacityFigure, readable } from './figure.ts';
import { HOURS_A_MONTH, PRICES, SECONDS_A_MONTH } from './prices.ts';
import { type CompleteWorkload, completeWorkload, type Workload } from './workload.ts';
import { ordinaryUnitsPerEvent, pageBytes, readUnitsPerEvent, unitsPerEvent } from './write-units.ts';

/** What a workload takes, in this design and in the ordinary one, which puts each event and updates the state for it. */
export interface CapacityPlan {
  readonly workload: CompleteWorkload;
  readonly twinstream: readonly CapacityFigure[];
  readonly ordinary: readonly CapacityFigure[];
}

const GB = 1e9;
const CONSUMERS = 2;
/** Firehose bills each record in steps of 5 KB ("Amazon Data Firehose pricing", read 2026-11). */
const FIREHOSE_STEP_BYTES = 5 * 1024;
const PUT_UNIT_BYTES = 25 * 1024;
const KB = 1_024;
/** Archive objects of about this size, after GZIP. */
const ARCHIVE_OBJECT_BYTES = 8e6;
const PRICE_SOURCE = `pricing pages of AWS, ${PRICES.region}, read ${PRICES.date}`;

/** Shards, windows, concurrency, units and dollars of a workload. Throws RangeError for one that cannot be. */
export function planCapacity(given: Workload): CapacityPlan {
  const workload = completeWorkload(given);
  const batches = planBatches(workload);
  const { eventsPerPage } = batches;
  const shared = [...streamFigures(workload, batches)];
  return {
    workload,
    twinstream: [
      ...shared,
      ...designFigures(workload, batches, {
        unitsPerEvent: unitsPerEvent(workload, eventsPerPage),
        unitsFormula: `(page of ${readable(eventsPerPage)} events, ${readable(pageBytes(workload.eventBytes, eventsPerPage))} bytes + state, each in units of 1 KB, + 2 a hundred pages) / events a page`,
        readUnitsPerEvent: readUnitsPerEvent(workload, eventsPerPage),
        eventsPerCore: ASSUMPTIONS.projectorEventsPerSecond,
        firehoseBytesPerEvent: workload.eventBytes + ASSUMPTIONS.archiveLineOverheadBytes,
        tableBytesPerEvent: pageBytes(workload.eventBytes, eventsPerPage) / eventsPerPage,
      }),
    ],
    ordinary: [
      ...shared,
      ...designFigures(workload, batches, {
        unitsPerEvent: ordinaryUnitsPerEvent(workload),
        unitsFormula: 'event + state, each in units of 1 KB',
        readUnitsPerEvent: 0,
        eventsPerCore: ASSUMPTIONS.ordinaryEventsPerSecond,
        firehoseBytesPerEvent:
          Math.ceil((workload.eventBytes + ASSUMPTIONS.archiveLineOverheadBytes) / FIREHOSE_STEP_BYTES) *
          FIREHOSE_STEP_BYTES,
        tableBytesPerEvent: workload.eventBytes + ASSUMPTIONS.pageEventOverheadBytes,
      }),
    ],
  };
}

/** The value of a figure. Throws RangeError for a key that the plan has not. */
export function figureValue(figures: readonly CapacityFigure[], key: string): number {
  const figure = figures.find((one) => one.key === key);
  if (figure === undefined) throw new RangeError(`a plan has no figure ${key}`);
  return figure.value;
}

function streamFigures(workload: CompleteWorkload, batches: Batches): CapacityFigure[] {
  const { eventsPerSecond, bytesPerSecond, recordsPerSecond, shardCount } = batches;
  const quotas = 'Kinesis quotas and limits: 1 MiB/s or 1,000 records/s a shard, read 2026-11';
  const mapping = 'Lambda with Kinesis: a poll a second, 10,000 records or 6 MB a batch, read 2026-11';
  return [
    figure(
      'eventsPerSecond',
      'events',
      eventsPerSecond,
      'events/s',
      `${readable(workload.deviceCount)} devices × ${readable(workload.eventsPerSecondPerDevice)}/s`,
      'the workload',
    ),
    figure(
      'bytesPerSecond',
      'bytes into the stream',
      bytesPerSecond,
      'bytes/s',
      `events × (${workload.eventBytes} + ${ASSUMPTIONS.keyBytes} bytes of key)`,
      'the workload',
    ),
    figure(
      'recordsPerSecond',
      'Kinesis records',
      recordsPerSecond,
      'records/s',
      workload.isAggregated ? `bytes / ${readable(batches.recordBytes)} an aggregate` : 'one an event',
      ASSUMPTION_SOURCE,
    ),
    figure(
      'shards',
      'shards',
      shardCount,
      'shards',
      `larger of bytes / 1 MiB and records / 1,000, over a use of ${workload.shardUse}`,
      quotas,
    ),
    figure(
      'batchSeconds',
      'between two batches of a shard',
      batches.batchSeconds,
      's',
      'the window, at least a poll, unless the batch is full before',
      mapping,
    ),
    figure(
      'eventsPerBatch',
      'events of a batch',
      batches.eventsPerBatch,
      'events',
      'events / shards × time between batches',
      mapping,
    ),
    figure(
      'eventsPerPage',
      'events of one device in a batch',
      batches.eventsPerPage,
      'events',
      'm / (1 − e^−m), m = rate of a device × time between batches',
      'mean of a Poisson count that is not zero',
    ),
    figure(
      'concurrency',
      'concurrent invocations',
      shardCount * CONSUMERS,
      'invocations',
      `${CONSUMERS} functions × shards × parallelization factor 1`,
      mapping,
    ),
    figure(
      'kinesisProvisionedDollars',
      'Kinesis, provisioned',
      HOURS_A_MONTH * shardCount * (PRICES.kinesis.shardHour + PRICES.kinesis.retentionShardHour) +
        SECONDS_A_MONTH *
          recordsPerSecond *
          Math.ceil(batches.recordBytes / PUT_UNIT_BYTES) *
          PRICES.kinesis.putPayloadUnit,
      'USD/month',
      `shards × hours × (shard + retention of ${RETENTION_HOURS} h) + put units of 25 KB`,
      PRICE_SOURCE,
    ),
    figure(
      'kinesisOnDemandDollars',
      'Kinesis, on demand',
      onDemandDollars(batches),
      'USD/month',
      'stream-hours + GB in (records round up to 1 KB) + GB out to 2 consumers + GB kept 6 days beyond the first',
      PRICE_SOURCE,
    ),
  ];
}

function onDemandDollars({ recordsPerSecond, recordBytes, bytesPerSecond }: Batches): number {
  const { kinesis } = PRICES;
  const gbIn = (recordsPerSecond * Math.ceil(recordBytes / KB) * KB * SECONDS_A_MONTH) / GB;
  const gbOut = (bytesPerSecond * CONSUMERS * SECONDS_A_MONTH) / GB;
  const gbKept = (bytesPerSecond * (RETENTION_HOURS - 24) * 3_600) / GB;
  return (
    kinesis.onDemandStreamHour * HOURS_A_MONTH +
    gbIn * kinesis.onDemandGbIn +
    gbOut * kinesis.onDemandGbOut +
    gbKept * kinesis.onDemandGbMonthRetained
  );
}

interface Design {
  readonly unitsPerEvent: number;
  readonly unitsFormula: string;
  readonly readUnitsPerEvent: number;
  readonly eventsPerCore: number;
  readonly firehoseBytesPerEvent: number;
  readonly tableBytesPerEvent: number;
}

function designFigures(workload: CompleteWorkload, batches: Batches, design: Design): CapacityFigure[] {
  const { eventsPerSecond, shardCount, batchSeconds } = batches;
  const events = eventsPerSecond * SECONDS_A_MONTH;
  const invocationsPerSecond = shardCount / batchSeconds;
  const gbSecondsPerSecond =
    (invocationsPerSecond * ASSUMPTIONS.invocationSeconds + eventsPerSecond / design.eventsPerCore) *
      ASSUMPTIONS.projectorGb +
    (invocationsPerSecond * ASSUMPTIONS.invocationSeconds +
      eventsPerSecond / ASSUMPTIONS.archiverEventsPerSecond) *
      ASSUMPTIONS.archiverGb;
  const requests = invocationsPerSecond * CONSUMERS * SECONDS_A_MONTH;
  const archiveBytes =
    events * (workload.eventBytes + ASSUMPTIONS.archiveLineOverheadBytes) * ASSUMPTIONS.gzipShare;
  const units = 'DynamoDB: writes round up to 1 KB, strong reads to 4 KB, read 2026-11';
  const dollars = {
    writeUnits:
      events * design.unitsPerEvent * PRICES.dynamoDb.writeUnit +
      events * design.readUnitsPerEvent * PRICES.dynamoDb.readUnit,
    lambda: requests * PRICES.lambda.request + gbSecondsPerSecond * SECONDS_A_MONTH * PRICES.lambda.gbSecond,
    firehose: (events * design.firehoseBytesPerEvent * PRICES.firehose.gb) / GB,
    archive: (archiveBytes * PRICES.s3.gbMonth) / GB + (archiveBytes / ARCHIVE_OBJECT_BYTES) * PRICES.s3.put,
    storage: (events * design.tableBytesPerEvent * PRICES.dynamoDb.gbMonth) / GB,
  };
  const kinesis = Math.min(
    figureValue(streamFigures(workload, batches), 'kinesisProvisionedDollars'),
    figureValue(streamFigures(workload, batches), 'kinesisOnDemandDollars'),
  );
  const total = kinesis + Object.values(dollars).reduce((sum, one) => sum + one, 0);
  return [
    figure(
      'writeUnitsPerEvent',
      'write units',
      design.unitsPerEvent,
      'write units/event',
      design.unitsFormula,
      units,
    ),
    figure(
      'writeUnitsPerSecond',
      'write units',
      design.unitsPerEvent * eventsPerSecond,
      'write units/s',
      'units of an event × events',
      units,
    ),
    figure(
      'projectorCores',
      'vCPUs busy projecting',
      eventsPerSecond / design.eventsPerCore,
      'vCPU',
      `events / ${readable(design.eventsPerCore)} a vCPU`,
      ASSUMPTION_SOURCE,
    ),
    figure(
      'dynamoDbDollars',
      'DynamoDB, requests',
      dollars.writeUnits,
      'USD/month',
      'units × price',
      PRICE_SOURCE,
    ),
    figure(
      'dynamoDbStorageDollars',
      'DynamoDB, storage of the first month’s events',
      dollars.storage,
      'USD/month',
      `events × ${readable(design.tableBytesPerEvent)} bytes; grows by as much each month`,
      PRICE_SOURCE,
    ),
    figure(
      'lambdaDollars',
      'Lambda',
      dollars.lambda,
      'USD/month',
      'requests + GB-seconds of busy vCPUs and of each invocation’s fixed part',
      `${PRICE_SOURCE}; ${ASSUMPTION_SOURCE}`,
    ),
    figure(
      'firehoseDollars',
      'Firehose',
      dollars.firehose,
      'USD/month',
      `events × ${readable(design.firehoseBytesPerEvent)} billed bytes`,
      PRICE_SOURCE,
    ),
    figure(
      'archiveDollars',
      'S3, the first month’s archive',
      dollars.archive,
      'USD/month',
      `lines × ${ASSUMPTIONS.gzipShare} under GZIP, and their puts`,
      PRICE_SOURCE,
    ),
    figure(
      'dollars',
      'all of it',
      total,
      'USD/month',
      'the cheaper mode of Kinesis + the above; API, alarms and logs are left out',
      PRICE_SOURCE,
    ),
    figure(
      'dollarsPerMillionEvents',
      'all of it',
      (total / events) * 1e6,
      'USD/million events',
      'dollars / events of a month',
      PRICE_SOURCE,
    ),
  ];
}

function figure(
  key: string,
  name: string,
  value: number,
  unit: string,
  formula: string,
  source: string,
): CapacityFigure {
  return { key, name, value, unit, formula, source };
}
