import { ASSUMPTION_SOURCE, ASSUMPTIONS } from './assumptions.ts';
import type { Batches } from './batches.ts';
import type { Design } from './design.ts';
import { type CapacityFigure, figure, figureValue, readable } from './figure.ts';
import { serviceFigures } from './fleet-service.ts';
import { GB, HOURS_A_MONTH, PRICE_SOURCE, PRICES, SECONDS_A_MONTH } from './prices.ts';
import { streamFigures } from './stream-figures.ts';
import type { CompleteWorkload } from './workload.ts';
import { ITEM_OVERHEAD_BYTES } from './write-units.ts';

/** Archive objects of about this size, after GZIP. */
const ARCHIVE_OBJECT_BYTES = 8e6;
/** Steps in which IoT Core meters messages, rules and actions. */
const IOT_STEP_BYTES = 5 * 1_024;
const YEAR_MONTHS = 12;

/** What a design stores and costs in the first month and in the twelfth, by both ways to pay for DynamoDB. */
export function priceFigures(workload: CompleteWorkload, batches: Batches, design: Design): CapacityFigure[] {
  const months = monthly(workload, batches, design);
  const requests = requestFigures(months, batches, design);
  const running = runningFigures(months, batches, design);
  const stored = storageFigures(months);
  const kinesis = figureValue(streamFigures(workload, batches), 'kinesisProvisionedDollars');
  const of = (figures: readonly CapacityFigure[]) => (key: string) => figureValue(figures, key);
  const alike = running.reduce((sum, { value }) => sum + value, kinesis);
  const first = STORED.reduce((sum, key) => sum + of(stored)(key), alike);
  const last = STORED.reduce((sum, key) => sum + of(stored)(`${key}Month${YEAR_MONTHS}`), alike);
  const onDemand = of(requests)('dynamoDbDollars');
  const provisioned = of(requests)('dynamoDbProvisionedDollars');
  return [
    ...amountFigures(months, design, workload),
    ...requests,
    ...stored,
    ...running,
    ...iotFigures(workload, months.events),
    ...serviceFigures(workload.deviceCount, batches.eventsPerSecond),
    dollars(
      'dollars',
      'all of it, month 1, DynamoDB on demand',
      first + onDemand,
      'provisioned Kinesis + the above once each; API, alarms and IoT Core are left out',
    ),
    dollars('dollarsMonth12', 'the same, month 12', last + onDemand, 'with what is stored after 12 months'),
    dollars(
      'dollarsProvisioned',
      'all of it, month 1, DynamoDB provisioned',
      first + provisioned,
      'without reservation',
    ),
    dollars(
      'dollarsProvisionedMonth12',
      'the same, month 12',
      last + provisioned,
      'with what is stored after 12 months',
    ),
    figure(
      'dollarsPerMillionEvents',
      'all of it, month 1, DynamoDB on demand',
      ((first + onDemand) / months.events) * 1e6,
      'USD/million events',
      'dollars / events of a month',
      PRICE_SOURCE,
    ),
  ];
}

const STORED = ['dynamoDbStorageDollars', 'recoveryDollars', 'archiveDollars'] as const;

interface Monthly {
  readonly events: number;
  readonly tableGb: number;
  /** Of all devices; does not grow. */
  readonly stateGb: number;
  readonly archiveGb: number;
  readonly archiveLineBytes: number;
}

function monthly(workload: CompleteWorkload, batches: Batches, design: Design): Monthly {
  const events = batches.eventsPerSecond * SECONDS_A_MONTH;
  const archiveLineBytes = workload.eventBytes + ASSUMPTIONS.archiveLineOverheadBytes;
  return {
    events,
    tableGb: (events * design.tableBytesPerEvent) / GB,
    stateGb: (workload.deviceCount * (workload.stateBytes + ITEM_OVERHEAD_BYTES)) / GB,
    archiveGb: (events * archiveLineBytes * ASSUMPTIONS.gzipShare) / GB,
    archiveLineBytes,
  };
}

function amountFigures(
  { tableGb, stateGb, archiveGb, archiveLineBytes }: Monthly,
  design: Design,
  { deviceCount, stateBytes }: CompleteWorkload,
): CapacityFigure[] {
  return [
    figure(
      'tableGbPerMonth',
      'history stored in DynamoDB',
      tableGb,
      'GB/month',
      `events × ${readable(design.tableBytesPerEvent)} ${design.tableFormula}`,
      design.unitsSource,
    ),
    figure(
      'stateGb',
      'states stored in DynamoDB',
      stateGb,
      'GB',
      `${readable(deviceCount)} devices × (${readable(stateBytes)} + ${ITEM_OVERHEAD_BYTES} bytes)`,
      design.unitsSource,
    ),
    figure(
      'archiveGbPerMonth',
      'stored in S3',
      archiveGb,
      'GB/month',
      `lines of ${readable(archiveLineBytes)} bytes × ${ASSUMPTIONS.gzipShare} under GZIP`,
      ASSUMPTION_SOURCE,
    ),
  ];
}

function requestFigures({ events }: Monthly, { eventsPerSecond }: Batches, design: Design): CapacityFigure[] {
  const { dynamoDb } = PRICES;
  const onDemand = (writeUnits: number, readUnits: number) =>
    events * (writeUnits * dynamoDb.writeUnit + readUnits * dynamoDb.readUnit);
  const hourly =
    (eventsPerSecond / ASSUMPTIONS.provisionedUse) *
    (design.unitsPerEvent * dynamoDb.writeUnitHour + design.readUnitsPerEvent * dynamoDb.readUnitHour);
  const provisioned = hourly * HOURS_A_MONTH;
  return [
    dollars(
      'dynamoDbDollars',
      'DynamoDB requests, on demand',
      onDemand(design.unitsPerEvent, design.readUnitsPerEvent),
      'write units and read units × their prices',
    ),
    dollars(
      'dynamoDbStrayedDollars',
      'the same, if no batch met the container of the one before',
      onDemand(design.strayed.writeUnits, design.strayed.readUnits),
      'a refused page and a read for every device of a batch; a bound, not in the sums',
    ),
    dollars(
      'dynamoDbProvisionedDollars',
      'DynamoDB requests, provisioned',
      provisioned,
      `units a second / a use of ${ASSUMPTIONS.provisionedUse} × price of an hour`,
    ),
    dollars(
      'dynamoDbReservedOneYearDollars',
      'the same, reserved for a year',
      provisioned * dynamoDb.reservedOneYearShare,
      `× ${dynamoDb.reservedOneYearShare}, the part in advance spread over the year; not in the sums`,
    ),
    dollars(
      'dynamoDbReservedThreeYearsDollars',
      'the same, reserved for three years',
      provisioned * dynamoDb.reservedThreeYearShare,
      `× ${dynamoDb.reservedThreeYearShare}, the part in advance spread over the years; not in the sums`,
    ),
  ];
}

function storageFigures({ tableGb, stateGb, archiveGb }: Monthly): CapacityFigure[] {
  const { dynamoDb, s3 } = PRICES;
  const puts = ((archiveGb * GB) / ARCHIVE_OBJECT_BYTES) * s3.put;
  const after = (months: number, suffix: string, when: string): CapacityFigure[] => {
    const tables = months * tableGb + stateGb;
    return [
      dollars(
        `dynamoDbStorageDollars${suffix}`,
        `DynamoDB storage, ${when}`,
        tables * dynamoDb.gbMonth,
        `(history of ${months} months + states) × price`,
      ),
      dollars(
        `recoveryDollars${suffix}`,
        `point-in-time recovery, ${when}`,
        tables * dynamoDb.recoveryGbMonth,
        'the same GB × price',
      ),
      dollars(
        `archiveDollars${suffix}`,
        `S3, ${when}`,
        months * archiveGb * s3.gbMonth + puts,
        `archive of ${months} months × price + a put for each 8 MB`,
      ),
    ];
  };
  return [...after(1, '', 'month 1'), ...after(YEAR_MONTHS, `Month${YEAR_MONTHS}`, `month ${YEAR_MONTHS}`)];
}

function runningFigures({ events }: Monthly, batches: Batches, design: Design): CapacityFigure[] {
  const { firehose, logs } = PRICES;
  const logGb = (invocations(batches).all * ASSUMPTIONS.logBytesPerInvocation * SECONDS_A_MONTH) / GB;
  return [
    dollars(
      'lambdaDollars',
      'Lambda',
      lambdaDollars(batches, design),
      'requests + GB-seconds of busy vCPUs and of each invocation’s fixed part',
      `${PRICE_SOURCE}; ${ASSUMPTION_SOURCE}`,
    ),
    dollars(
      'logsDollars',
      'logs',
      logGb * (logs.gbIn + logs.gbMonth),
      `invocations × ${readable(ASSUMPTIONS.logBytesPerInvocation)} bytes, kept for a month`,
      `${PRICE_SOURCE}; ${ASSUMPTION_SOURCE}`,
    ),
    dollars(
      'firehoseDollars',
      'Firehose',
      (events * design.firehoseBytesPerEvent * firehose.gb) / GB,
      `events × ${readable(design.firehoseBytesPerEvent)} billed bytes`,
    ),
  ];
}

/** One message to an event, from devices that stay connected. A rule puts each into the stream as a record: such a workload is not aggregated. */
function iotFigures({ deviceCount, eventBytes }: CompleteWorkload, events: number): CapacityFigure[] {
  const { connectionMinute, messages, ruleAndAction } = PRICES.iot;
  const steps = events * Math.ceil((eventBytes + ASSUMPTIONS.topicBytes) / IOT_STEP_BYTES);
  let [messaging, below] = [0, 0];
  for (const { upTo, each } of messages) {
    messaging += Math.max(0, Math.min(steps, upTo) - below) * each;
    below = upTo;
  }
  const basic = deviceCount * HOURS_A_MONTH * 60 * connectionMinute + steps * ruleAndAction;
  return [
    dollars(
      'iotBasicIngestDollars',
      'IoT Core with Basic Ingest, if devices send by it',
      basic,
      'minutes of connection + a rule and an action in steps of 5 KB; not in the sums; its records are not aggregated',
    ),
    dollars(
      'iotCoreDollars',
      'IoT Core without it',
      basic + messaging,
      'the same + messages in steps of 5 KB, by tiers; not in the sums',
    ),
  ];
}

function dollars(key: string, name: string, value: number, formula: string, source: string = PRICE_SOURCE) {
  return figure(key, name, value, 'USD/month', formula, source);
}

/** Invocations a second. */
function invocations({ shardCount, batchSeconds }: Batches) {
  const projector = shardCount / batchSeconds;
  const archiver = shardCount / Math.min(batchSeconds, ASSUMPTIONS.archiverWindowSeconds);
  return { projector, archiver, all: projector + archiver };
}

function lambdaDollars(batches: Batches, design: Design): number {
  const { eventsPerSecond } = batches;
  const { projector, archiver, all } = invocations(batches);
  const projecting = projector * ASSUMPTIONS.invocationSeconds + eventsPerSecond / design.eventsPerCore;
  const archiving =
    archiver * ASSUMPTIONS.invocationSeconds + eventsPerSecond / ASSUMPTIONS.archiverEventsPerSecond;
  const gbSeconds = projecting * ASSUMPTIONS.projectorGb + archiving * ASSUMPTIONS.archiverGb;
  return (all * PRICES.lambda.request + gbSeconds * PRICES.lambda.gbSecond) * SECONDS_A_MONTH;
}
