import { ASSUMPTION_SOURCE, ASSUMPTIONS } from './assumptions.ts';
import type { Batches } from './batches.ts';
import type { Design } from './design.ts';
import { type CapacityFigure, figure, figureValue, readable } from './figure.ts';
import { GB, PRICE_SOURCE, PRICES, SECONDS_A_MONTH } from './prices.ts';
import { PROJECTING_SPEED_SOURCE } from './projecting-speed.ts';
import { streamFigures } from './stream-figures.ts';
import type { CompleteWorkload } from './workload.ts';

/** Archive objects of about this size, after GZIP. */
const ARCHIVE_OBJECT_BYTES = 8e6;

/** What a design takes and costs for a workload. */
export function designFigures(workload: CompleteWorkload, batches: Batches, design: Design) {
  return [...workFigures(batches, design), ...priceFigures(workload, batches, design)];
}

function workFigures({ eventsPerSecond }: Batches, design: Design): CapacityFigure[] {
  return [
    figure(
      'eventsPerPage',
      'events of a page',
      design.eventsPerPage,
      'events',
      design.eventsPerPageFormula,
      design.eventsPerPageSource,
    ),
    figure(
      'readableAfterSeconds',
      'intended send to readable, at most',
      design.readableAfterSeconds,
      's',
      'linger + delay until the poll + poll + window + invocation, with no queue',
      `${ASSUMPTION_SOURCE}; ${PROJECTING_SPEED_SOURCE}`,
    ),
    figure(
      'writeUnitsPerEvent',
      'write units',
      design.unitsPerEvent,
      'write units/event',
      design.unitsFormula,
      design.unitsSource,
    ),
    figure(
      'writeUnitsPerSecond',
      'write units',
      design.unitsPerEvent * eventsPerSecond,
      'write units/s',
      'units of an event × events',
      design.unitsSource,
    ),
    figure(
      'projectorCores',
      'vCPUs busy projecting',
      eventsPerSecond / design.eventsPerCore,
      'vCPU',
      `events / ${readable(design.eventsPerCore)} a vCPU`,
      PROJECTING_SPEED_SOURCE,
    ),
  ];
}

interface Monthly {
  readonly events: number;
  readonly tableGb: number;
  readonly archiveGb: number;
}

function priceFigures(workload: CompleteWorkload, batches: Batches, design: Design): CapacityFigure[] {
  const events = batches.eventsPerSecond * SECONDS_A_MONTH;
  const archiveLineBytes = workload.eventBytes + ASSUMPTIONS.archiveLineOverheadBytes;
  const monthly = {
    events,
    tableGb: (events * design.tableBytesPerEvent) / GB,
    archiveGb: (events * archiveLineBytes * ASSUMPTIONS.gzipShare) / GB,
  };
  const parts = dollarParts(monthly, batches, design);
  const kinesis = figureValue(streamFigures(workload, batches), 'kinesisProvisionedDollars');
  const total = parts.reduce((sum, { value }) => sum + value, kinesis);
  return [
    figure(
      'tableGbPerMonth',
      'stored in DynamoDB',
      monthly.tableGb,
      'GB/month',
      `events × ${readable(design.tableBytesPerEvent)} ${design.tableFormula}`,
      design.unitsSource,
    ),
    figure(
      'archiveGbPerMonth',
      'stored in S3',
      monthly.archiveGb,
      'GB/month',
      `lines of ${readable(archiveLineBytes)} bytes × ${ASSUMPTIONS.gzipShare} under GZIP`,
      ASSUMPTION_SOURCE,
    ),
    ...parts,
    dollars(
      'dollars',
      'all of it',
      total,
      'provisioned Kinesis + the above; API, alarms and logs are left out',
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

function dollarParts(
  { events, tableGb, archiveGb }: Monthly,
  batches: Batches,
  design: Design,
): CapacityFigure[] {
  const { dynamoDb, firehose, s3 } = PRICES;
  const requests = design.unitsPerEvent * dynamoDb.writeUnit + design.readUnitsPerEvent * dynamoDb.readUnit;
  return [
    dollars(
      'dynamoDbDollars',
      'DynamoDB, requests',
      events * requests,
      'write units and read units × their prices',
    ),
    dollars(
      'dynamoDbStorageDollars',
      'DynamoDB, storage of the first month’s events',
      tableGb * dynamoDb.gbMonth,
      'GB × price; grows by as much each month',
    ),
    dollars(
      'lambdaDollars',
      'Lambda',
      lambdaDollars(batches, design),
      'requests + GB-seconds of busy vCPUs and of each invocation’s fixed part',
      `${PRICE_SOURCE}; ${ASSUMPTION_SOURCE}`,
    ),
    dollars(
      'firehoseDollars',
      'Firehose',
      (events * design.firehoseBytesPerEvent * firehose.gb) / GB,
      `events × ${readable(design.firehoseBytesPerEvent)} billed bytes`,
    ),
    dollars(
      'archiveDollars',
      'S3, the first month’s archive',
      archiveGb * s3.gbMonth + ((archiveGb * GB) / ARCHIVE_OBJECT_BYTES) * s3.put,
      'GB × price + a put for each 8 MB',
    ),
  ];
}

function dollars(key: string, name: string, value: number, formula: string, source: string = PRICE_SOURCE) {
  return figure(key, name, value, 'USD/month', formula, source);
}

function lambdaDollars({ eventsPerSecond, shardCount, batchSeconds }: Batches, design: Design): number {
  const projectorInvocations = shardCount / batchSeconds;
  const archiverInvocations = shardCount / Math.min(batchSeconds, ASSUMPTIONS.archiverWindowSeconds);
  const projecting =
    projectorInvocations * ASSUMPTIONS.invocationSeconds + eventsPerSecond / design.eventsPerCore;
  const archiving =
    archiverInvocations * ASSUMPTIONS.invocationSeconds +
    eventsPerSecond / ASSUMPTIONS.archiverEventsPerSecond;
  const gbSeconds = projecting * ASSUMPTIONS.projectorGb + archiving * ASSUMPTIONS.archiverGb;
  const perSecond =
    (projectorInvocations + archiverInvocations) * PRICES.lambda.request + gbSeconds * PRICES.lambda.gbSecond;
  return perSecond * SECONDS_A_MONTH;
}
