import { SERVICE_TASKS } from '@twinstream/capacity';
import { type IMetric, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { CANARY_NAMESPACE, STATE_AGE_METRIC } from '../canary-device/handler.ts';
import type { Archive } from './archive.ts';
import { CANARY_PERIOD_MINUTES } from './canary-device.ts';
import type { SourceStream } from './event-stream.ts';
import { deliveryMetric, MAXIMUM, mappingMetric, PERIOD, projectorMetric, SUM } from './metrics.ts';
import type { DeployedFunction } from './node-function.ts';
import type { PipelineTables } from './pipeline-tables.ts';
import type { QueryApi } from './query-api.ts';
import type { QueryService } from './query-service.ts';
import type { StreamConsumer } from './stream-consumer.ts';

/** A function and the mapping that feeds it. */
type Consumer = Pick<StreamConsumer, 'lambda' | 'live' | 'mapping'>;

/** What the alarms take from the settings of a pipeline. */
export interface AlarmConfiguration {
  /** Maximum lag of a consumer before its alarm starts. */
  readonly iteratorAgeMinutesMax: number;
  readonly archiveBufferSeconds: number;
  /** With `canary`, alarms of the functions watch each new version. */
  readonly rollout: 'canary' | 'immediate';
  readonly alarmEmail?: string | undefined;
  readonly pageUrl?: string | undefined;
}

export interface AlarmsProps {
  readonly configuration: AlarmConfiguration;
  readonly key: IKey;
  /** Existing topic for alarms of both severities. Default: one for each, encrypted with the key. */
  readonly topic?: ITopic | undefined;
  readonly eventStream: SourceStream;
  readonly tables: PipelineTables;
  readonly archive: Archive;
  readonly consumers: Readonly<Record<string, Consumer>>;
  /** What a pipeline may lack. */
  readonly queryApi: QueryApi | undefined;
  readonly statusPublisher: Consumer | undefined;
  readonly canary: DeployedFunction | undefined;
  readonly iotRuleName: string | undefined;
}

/** A page needs somebody now: states or an archive fall behind, or data may be lost. A note can wait for the morning. */
export type Severity = 'page' | 'note';

export interface AlarmRule {
  readonly name: string;
  readonly severity: Severity;
  readonly metric: IMetric;
  /** The alarm goes off at this value. */
  readonly from: number;
  /** Whether it goes off below that value, and where there is none. Default: from it on. */
  readonly isBelow?: boolean;
  /** How many periods in a row it must be reached. */
  readonly periods: number;
  readonly description: string;
  /** Whether no data is as bad as the threshold: where something speaks all the time. */
  readonly alarmsOnSilence?: boolean;
  /** Function of {@link functionsOf} whose deployment it stops and takes back. It may not know the mapping, which is made after the alias. */
  readonly stops?: string;
}

const MINUTE_MS = 60_000;
/** A failure now and then is a throttled read, which the caller repeats. */
const API_FAILURES_A_MINUTE_MAX = 5;
/** Delivery takes one buffer interval; three of them in a row are not a coincidence. */
const DELIVERY_INTERVALS_MAX = 3;

/** Firehose keeps what it cannot deliver for 24 hours, then it is lost ("Handle data delivery failures", Data Firehose developer guide, read 2026-12). */
const DELIVERY_STALLED_HOURS = 4;

/** Besides its batching window, for which a mapping may gather records. */
const SILENCE_MINUTES_MAX = 5;

/** What is rejected of all that comes, and at least a minute, before it is more than a device that is broken. */
const REJECTED_PERCENT_MAX = 5;
const REJECTED_A_MINUTE_MIN = 100;

const SERVICE_MEMORY_PERCENT_MAX = 90;

/** Part of its timeout that an invocation may take. */
const TIMEOUT_SHARE_MAX = 0.8;

/** Everything that a deployment gives a new version. */
export function functionsOf({
  consumers,
  statusPublisher,
  canary,
  queryApi,
}: AlarmsProps): Record<string, DeployedFunction> {
  return {
    ...consumers,
    ...(statusPublisher === undefined ? {} : { StatusPublisher: statusPublisher }),
    ...(canary === undefined ? {} : { Canary: canary }),
    ...(queryApi === undefined
      ? {}
      : { Api: queryApi.reads, Corrections: queryApi.corrections, QuarantineApi: queryApi.quarantine }),
  };
}

/** The alarms of a stage, in the order of the pipeline. */
export function alarmRules(props: AlarmsProps): AlarmRule[] {
  return [
    ...streamRules(props),
    ...Object.entries(props.consumers).map(([name, consumer]) => silenceRule(name, consumer, props)),
    ...consumerRules(props),
    ...canaryRules(props),
    ...iotRules(props),
    ...tableRules(props),
    ...deliveryRules(props),
    ...apiRules(props),
    ...(props.configuration.rollout === 'canary'
      ? Object.entries(functionsOf(props)).map(newVersionRule)
      : []),
  ];
}

/** While an alias shifts, Lambda counts what each of its versions did ("Using CloudWatch metrics with Lambda", `ExecutedVersion`, read 2026-12). */
function newVersionRule([name, { lambda, live }]: readonly [string, DeployedFunction]): AlarmRule {
  return {
    name: `${name}NewVersionErrors`,
    severity: 'note',
    metric: lambda.metricErrors({
      period: PERIOD,
      dimensionsMap: {
        FunctionName: lambda.functionName,
        Resource: `${lambda.functionName}:${live.aliasName}`,
        ExecutedVersion: live.version.version,
      },
    }),
    from: 1,
    periods: 2,
    description: `The version of ${name} that is being deployed fails, two minutes in a row: the deployment goes back.`,
    stops: name,
  };
}

function streamRules({ eventStream: { stream }, configuration }: AlarmsProps): AlarmRule[] {
  return [
    {
      name: 'StreamIteratorAge',
      severity: 'page',
      metric: stream.metricGetRecordsIteratorAgeMilliseconds(MAXIMUM),
      from: configuration.iteratorAgeMinutesMax * MINUTE_MS,
      periods: 3,
      description: `Records are read ${configuration.iteratorAgeMinutesMax} minutes or more after they came, by a consumer or a replay.`,
    },
    {
      name: 'StreamWriteThrottles',
      severity: 'page',
      metric: stream.metricWriteProvisionedThroughputExceeded(SUM),
      from: 1,
      periods: 5,
      description:
        'Producers are throttled for 5 minutes: shards are too few, or one device is hot. See docs/deploy.md, "Quotas".',
    },
    {
      name: 'StreamReadThrottles',
      severity: 'note',
      metric: stream.metricReadProvisionedThroughputExceeded(SUM),
      from: 1,
      periods: 5,
      description: 'Readers share too little: a replay or a third consumer takes what the projector needs.',
    },
  ];
}

/** A mapping that is disabled, or that does not reach its function, raises no other alarm: nothing fails, and nothing lags. */
function silenceRule(
  name: string,
  { live, mapping }: Consumer,
  { eventStream: { stream } }: AlarmsProps,
): AlarmRule {
  const minutes = SILENCE_MINUTES_MAX + Math.floor((mapping.maximumBatchingWindowInSeconds ?? 0) / 60);
  return {
    name: `${name}Silent`,
    severity: 'page',
    metric: new MathExpression({
      expression: 'IF(FILL(incoming, 0) > 0 AND FILL(invocations, 0) - FILL(errors, 0) <= 0, 1, 0)',
      usingMetrics: {
        incoming: stream.metricIncomingRecords(SUM),
        invocations: live.metricInvocations({ period: PERIOD }),
        errors: live.metricErrors({ period: PERIOD }),
      },
      period: PERIOD,
      label: `${name} is silent`,
    }),
    from: 1,
    periods: minutes,
    description: `Records come in, and no invocation of ${name} has finished for ${minutes} minutes: is its mapping enabled?`,
    stops: name,
  };
}

/** It goes the way of all events: an alarm here means that devices are not seen, whatever the cause. */
function canaryRules({ canary, configuration, eventStream }: AlarmsProps): AlarmRule[] {
  if (canary === undefined) return [];
  // Its last report is a period old before anything lags.
  const minutes = configuration.iteratorAgeMinutesMax + CANARY_PERIOD_MINUTES;
  return [
    {
      name: 'CanaryState',
      severity: 'page',
      metric: new Metric({
        namespace: CANARY_NAMESPACE,
        metricName: STATE_AGE_METRIC,
        dimensionsMap: { streamName: eventStream.stream.streamName },
        ...MAXIMUM,
      }),
      from: minutes * MINUTE_MS,
      periods: 5,
      description: `The state of the canary device is ${minutes} minutes old or more, or it does not tell: devices may not be seen.`,
      alarmsOnSilence: true,
      stops: 'Projector',
    },
  ];
}

function iotRules({ iotRuleName }: AlarmsProps): AlarmRule[] {
  if (iotRuleName === undefined) return [];
  // A query, for the rule's metrics have the type of the action as a dimension, too ("AWS IoT metrics and dimensions", read 2026-12).
  const ofRule = (metricName: string) =>
    new MathExpression({
      expression: `SELECT SUM(${metricName}) FROM "AWS/IoT" WHERE RuleName = '${iotRuleName}'`,
      period: PERIOD,
      label: metricName,
    });
  return [
    {
      name: 'IotRuleFailures',
      severity: 'note',
      metric: ofRule('Failure'),
      from: 1,
      periods: 1,
      description: 'Messages of devices did not reach the stream. They lie in the bucket under iot-errors/.',
    },
    {
      name: 'IotRuleLost',
      severity: 'page',
      metric: ofRule('ErrorActionFailure'),
      from: 1,
      periods: 1,
      description:
        'Messages of devices reached neither the stream nor the bucket: they are lost unless devices repeat them.',
    },
    {
      name: 'IotRuleThrottles',
      severity: 'page',
      metric: ofRule('RuleMessageThrottled'),
      from: 1,
      periods: 3,
      description:
        'AWS IoT evaluates the rule for fewer messages than come: the others are lost unless devices repeat them. Raise its quota.',
    },
    {
      name: 'IotRuleParseErrors',
      severity: 'note',
      metric: ofRule('ParseError'),
      from: 1,
      periods: 5,
      description:
        'The IoT rule cannot read messages that are not JSON: they are lost. Choose another SQL, or other topics.',
    },
  ];
}

/** Reserved concurrency is a limit as well: it is not the account alone that may lack it. */
function throttlesRule(name: string, live: Alias, what = name): AlarmRule {
  return {
    name: `${name}Throttles`,
    severity: 'note',
    metric: live.metricThrottles({ period: PERIOD }),
    from: 1,
    periods: 3,
    description: `${what} wants more concurrency than is reserved for it, or than the account has left.`,
  };
}

function consumerRules({ consumers, statusPublisher, configuration, eventStream }: AlarmsProps): AlarmRule[] {
  const all = {
    ...consumers,
    ...(statusPublisher === undefined ? {} : { StatusPublisher: statusPublisher }),
  };
  const rules = Object.entries(all).flatMap(([name, { lambda, live, mapping }]): AlarmRule[] => {
    // States are not affected by what tells of their changes.
    const urgent: Severity = name in consumers ? 'page' : 'note';
    return [
      {
        name: `${name}NearTimeout`,
        severity: 'note',
        metric: live.metricDuration(MAXIMUM),
        from: (lambda.timeout?.toMilliseconds() ?? 0) * TIMEOUT_SHARE_MAX,
        periods: 3,
        description: `Invocations of ${name} take four fifths of its timeout, three minutes in a row.`,
        stops: name,
      },
      {
        name: `${name}IteratorAge`,
        severity: urgent,
        // Of the function: Lambda documents the metrics of invocations alone for an alias, and nothing else invokes it.
        metric: lambda.metric('IteratorAge', MAXIMUM),
        from: configuration.iteratorAgeMinutesMax * MINUTE_MS,
        periods: 3,
        description: `${name} lags by ${configuration.iteratorAgeMinutesMax} minutes or more.`,
        stops: name,
      },
      {
        name: `${name}Errors`,
        severity: urgent,
        metric: live.metricErrors({ period: PERIOD }),
        from: 1,
        periods: 3,
        description: `Invocations of ${name} fail, three minutes in a row.`,
        stops: name,
      },
      throttlesRule(name, live),
      {
        name: `${name}GivenUp`,
        severity: 'note',
        metric: mappingMetric(mapping, 'OnFailureDestinationDeliveredEventCount'),
        from: 1,
        periods: 1,
        description: `${name} gave up records. They lie in the bucket under aws/lambda/ and wait to be redriven.`,
      },
      {
        name: `${name}Lost`,
        severity: urgent,
        metric: mappingMetric(mapping, 'DroppedEventCount'),
        from: 1,
        periods: 1,
        description: `${name} gave up records that could not be kept either. They are in the stream until its retention ends: replay.`,
      },
    ];
  });
  return [
    ...rules,
    {
      name: 'Quarantine',
      severity: 'note',
      metric: projectorMetric(eventStream.stream, 'quarantined'),
      from: 1,
      periods: 1,
      description: 'Invalid records went to quarantine: `twinstream ops quarantine list`.',
    },
    {
      name: 'QuarantineFlood',
      severity: 'page',
      metric: new MathExpression({
        expression: `IF(FILL(rejected, 0) >= ${REJECTED_A_MINUTE_MIN} AND FILL(rejected, 0) * 100 >= (FILL(rejected, 0) + FILL(events, 0)) * ${REJECTED_PERCENT_MAX}, 1, 0)`,
        usingMetrics: {
          rejected: projectorMetric(eventStream.stream, 'quarantined'),
          events: projectorMetric(eventStream.stream, 'events'),
        },
        period: PERIOD,
        label: 'Much of what comes is rejected',
      }),
      from: 1,
      periods: 5,
      description: `${REJECTED_PERCENT_MAX} % or more of what comes is rejected, for 5 minutes: producers, firmware or mapping have changed, and states of their devices are not updated.`,
      stops: 'Projector',
    },
    {
      name: 'StateRejections',
      severity: 'note',
      metric: projectorMetric(eventStream.stream, 'stateRejections'),
      from: 1,
      periods: 1,
      description: 'A state could not be written; its pages are whole: `twinstream ops verify`.',
      stops: 'Projector',
    },
  ];
}

function tableRules({ tables: { inUse, shardProgress, operations } }: AlarmsProps): AlarmRule[] {
  const names = {
    Events: inUse.events,
    DeviceState: inUse.deviceState,
    ShardProgress: shardProgress.tableName,
    Operations: operations.tableName,
  };
  return Object.entries(names).flatMap(([name, TableName]) =>
    (['Write', 'Read'] as const).map(
      (kind): AlarmRule => ({
        name: `${name}${kind === 'Write' ? '' : kind}Throttles`,
        severity: 'note',
        metric: new Metric({
          namespace: 'AWS/DynamoDB',
          metricName: `${kind}ThrottleEvents`,
          dimensionsMap: { TableName },
          ...SUM,
        }),
        from: 1,
        periods: 3,
        description: `${kind}s of ${name} are throttled: a hot partition, or a burst beyond twice the last peak.`,
      }),
    ),
  );
}

function deliveryRules({ archive, configuration }: AlarmsProps): AlarmRule[] {
  const staleSeconds = configuration.archiveBufferSeconds * DELIVERY_INTERVALS_MAX;
  return [
    {
      name: 'ArchiveFreshness',
      severity: 'note',
      metric: deliveryMetric(archive, 'DeliveryToS3.DataFreshness', 'Maximum'),
      from: staleSeconds,
      periods: 3,
      description: `The oldest event that is not in the archive yet waits for ${staleSeconds} s or more.`,
    },
    {
      name: 'ArchiveStalled',
      severity: 'page',
      metric: deliveryMetric(archive, 'DeliveryToS3.DataFreshness', 'Maximum'),
      from: DELIVERY_STALLED_HOURS * 3_600,
      periods: 3,
      description: `An event waits for the archive for ${DELIVERY_STALLED_HOURS} hours or more. Firehose drops it after 24.`,
    },
    {
      name: 'ArchiveThrottles',
      severity: 'note',
      metric: deliveryMetric(archive, 'ThrottledRecords', 'Sum'),
      from: 1,
      periods: 3,
      description: 'Firehose takes less than comes: raise its quota. See docs/deploy.md.',
    },
  ];
}

function apiRules({ queryApi }: AlarmsProps): AlarmRule[] {
  if (queryApi === undefined) return [];
  const { api, reads, corrections, quarantine, service } = queryApi;
  return [
    {
      name: 'ApiFailures',
      severity: 'page',
      metric: api.metricServerError(SUM),
      from: API_FAILURES_A_MINUTE_MAX,
      periods: 3,
      description: 'Requests to the query API fail, three minutes in a row.',
      stops: 'Api',
    },
    throttlesRule('Api', reads.live, 'The query API'),
    throttlesRule('Corrections', corrections.live, 'The function for corrections'),
    throttlesRule('Quarantine', quarantine.live, 'The function for the quarantine'),
    ...(service === undefined ? [] : serviceRules(service)),
  ];
}

function serviceRules({ targets, service }: QueryService): AlarmRule[] {
  return [
    {
      name: 'FleetTasksMissing',
      severity: 'note',
      metric: targets.metrics.healthyHostCount({ period: PERIOD, statistic: 'Minimum' }),
      isBelow: true,
      from: SERVICE_TASKS,
      periods: 15,
      description: 'A task of the query service is not ready, for a quarter of an hour.',
    },
    {
      name: 'FleetTasksGone',
      severity: 'page',
      metric: targets.metrics.healthyHostCount(MAXIMUM),
      isBelow: true,
      from: 1,
      periods: 3,
      description: 'No task of the query service is ready: lists, counts and updates are old, or fail.',
    },
    {
      name: 'FleetMemory',
      severity: 'note',
      metric: service.metricMemoryUtilization(MAXIMUM),
      from: SERVICE_MEMORY_PERCENT_MAX,
      periods: 5,
      description:
        'The query service needs almost all of its memory: the fleet has more devices than the stage states.',
    },
  ];
}
