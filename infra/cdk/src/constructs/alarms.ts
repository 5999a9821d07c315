import { SERVICE_TASKS } from '@twinstream/capacity';
import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { SubscriptionProtocol, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription, UrlSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { CANARY_NAMESPACE, STATE_AGE_METRIC } from '../canary-device/handler.ts';
import type { StageConfiguration } from '../stages.ts';
import type { Archive } from './archive.ts';
import { CANARY_PERIOD_MINUTES } from './canary-device.ts';
import type { EventStream } from './event-stream.ts';
import { type DeployedFunction, LIVE } from './node-function.ts';
import type { QueryApi } from './query-api.ts';
import type { QueryService } from './query-service.ts';
import type { StateTables } from './state-tables.ts';
import type { StreamConsumer } from './stream-consumer.ts';

/** Namespace of the metrics that the projector writes into its log. */
export const PROJECTOR_NAMESPACE = 'Twinstream/StateProjector';

/** A function and the mapping that feeds it. */
type Consumer = Pick<StreamConsumer, 'lambda' | 'live' | 'mapping'>;

export interface AlarmsProps {
  readonly configuration: StageConfiguration;
  readonly key: Key;
  readonly eventStream: EventStream;
  readonly tables: StateTables;
  readonly archive: Archive;
  readonly consumers: Readonly<Record<string, Consumer>>;
  readonly queryApi: QueryApi;
  /** Names of what a stage may lack. */
  readonly statusPublisher: Consumer | undefined;
  readonly canary: DeployedFunction | undefined;
  readonly iotRuleName: string | undefined;
}

/** A page needs somebody now: states or an archive fall behind, or data may be lost. A note can wait for the morning. */
export type Severity = 'page' | 'note';

interface AlarmRule {
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
  readonly alarmsOnSilence?: true;
  /** Function of {@link functionsOf} whose deployment it stops and takes back. It may not know the mapping, which is made after the alias. */
  readonly stops?: string;
}

const PERIOD = Duration.minutes(1);
const MINUTE_MS = 60_000;
/** A failure now and then is a throttled read, which the caller repeats. */
const API_FAILURES_A_MINUTE_MAX = 5;
/** Delivery takes one buffer interval; three of them in a row are not a coincidence. */
const DELIVERY_INTERVALS_MAX = 3;

const SERVICE_MEMORY_PERCENT_MAX = 90;

/** Part of its timeout that an invocation may take. */
const TIMEOUT_SHARE_MAX = 0.8;

/** What somebody must look at, and the topics that tell them, by severity. */
export class Alarms extends Construct {
  readonly alarms: readonly Alarm[];
  /** Functions of the pipeline, and the alarms that stop a deployment of each. */
  readonly deployments: readonly {
    readonly name: string;
    readonly deployed: DeployedFunction;
    readonly alarms: readonly Alarm[];
  }[];
  readonly topics: Readonly<Record<Severity, Topic>>;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { alarmEmail, pageUrl } = props.configuration;
    const topic = (topicId: string) => {
      const made = new Topic(this, topicId, { masterKey: props.key, enforceSSL: true });
      made.addToResourcePolicy(alarmsMay(made, 'AlarmsPublish', ['sns:Publish'], made.topicArn));
      if (alarmEmail !== undefined) made.addSubscription(new EmailSubscription(alarmEmail));
      return made;
    };
    this.topics = { page: topic('Topic'), note: topic('Notes') };
    props.key.addToResourcePolicy(
      alarmsMay(this, 'AlarmsPublishEncrypted', ['kms:Decrypt', 'kms:GenerateDataKey'], '*'),
    );
    if (pageUrl !== undefined) {
      this.topics.page.addSubscription(
        new UrlSubscription(pageUrl, { protocol: SubscriptionProtocol.HTTPS }),
      );
    }
    const functions = functionsOf(props);
    const rules = [
      ...streamRules(props),
      ...Object.entries(props.consumers).flatMap(([name, consumer]) => silenceRules(name, consumer, props)),
      ...consumerRules(props),
      ...canaryRules(props),
      ...iotRules(props),
      ...tableRules(props),
      ...deliveryRules(props),
      ...apiRules(props),
      ...(props.configuration.rollout === 'canary' ? Object.entries(functions).map(newVersionRule) : []),
    ].map((rule) => ({ rule, alarm: this.alarm(rule) }));
    this.alarms = rules.map(({ alarm }) => alarm);
    this.deployments = Object.entries(functions).map(([name, deployed]) => ({
      name,
      deployed,
      alarms: rules.flatMap(({ rule, alarm }) => (rule.stops === name ? [alarm] : [])),
    }));
  }

  private alarm(rule: AlarmRule): Alarm {
    const { name, severity, metric, from, periods, description, isBelow = false } = rule;
    const { alarmsOnSilence = isBelow } = rule;
    const alarm = new Alarm(this, name, {
      alarmDescription: `${severity}: ${description}`,
      metric,
      threshold: from,
      evaluationPeriods: periods,
      comparisonOperator: isBelow
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      // A device fleet that is silent is not broken; what is counted and is not there is.
      treatMissingData: alarmsOnSilence ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    const action = new SnsAction(this.topics[severity]);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
    return alarm;
  }
}

/**
 * Lets the alarms of this account publish. A policy of a topic replaces the one that allows its account, so that what is not
 * allowed here reaches nobody; and a service that publishes must be able to use the key ("Security best practices for Amazon SNS",
 * "Enable compatibility between event sources from AWS services and encrypted topics", read 2026-11).
 */
function alarmsMay(
  scope: Construct,
  sid: string,
  actions: readonly string[],
  resource: string,
): PolicyStatement {
  const { account } = Stack.of(scope);
  const alarms = Stack.of(scope).formatArn({
    service: 'cloudwatch',
    resource: 'alarm',
    resourceName: '*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return new PolicyStatement({
    sid,
    principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
    actions: [...actions],
    resources: [resource],
    conditions: {
      StringEquals: { 'aws:SourceAccount': account },
      ArnLike: { 'aws:SourceArn': alarms },
    },
  });
}

/** Everything that a deployment gives a new version. */
function functionsOf({
  consumers,
  statusPublisher,
  canary,
  queryApi,
}: AlarmsProps): Record<string, DeployedFunction> {
  return {
    ...consumers,
    ...(statusPublisher === undefined ? {} : { StatusPublisher: statusPublisher }),
    ...(canary === undefined ? {} : { Canary: canary }),
    Api: queryApi.reads,
    Corrections: queryApi.corrections,
    QuarantineApi: queryApi.quarantine,
  };
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
        Resource: `${lambda.functionName}:${LIVE}`,
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
      metric: stream.metricGetRecordsIteratorAgeMilliseconds({ period: PERIOD, statistic: 'Maximum' }),
      from: configuration.iteratorAgeMinutesMax * MINUTE_MS,
      periods: 3,
      description: `Records are read ${configuration.iteratorAgeMinutesMax} minutes or more after they came, by a consumer or a replay.`,
    },
    {
      name: 'StreamWriteThrottles',
      severity: 'page',
      metric: stream.metricWriteProvisionedThroughputExceeded({ period: PERIOD, statistic: 'Sum' }),
      from: 1,
      periods: 5,
      description:
        'Producers are throttled for 5 minutes: shards are too few, or one device is hot. See docs/deploy.md, "Quotas".',
    },
    {
      name: 'StreamReadThrottles',
      severity: 'note',
      metric: stream.metricReadProvisionedThroughputExceeded({ period: PERIOD, statistic: 'Sum' }),
      from: 1,
      periods: 5,
      description: 'Readers share too little: a replay or a third consumer takes what the projector needs.',
    },
  ];
}

/** A mapping that is disabled, or that does not reach its function, raises no other alarm: nothing fails, and nothing lags. */
function silenceRules(
  name: string,
  { live }: Consumer,
  { eventStream: { stream } }: AlarmsProps,
): AlarmRule[] {
  return [
    {
      name: `${name}Silent`,
      severity: 'page',
      metric: new MathExpression({
        expression: 'IF(FILL(incoming, 0) > 0 AND FILL(invocations, 0) - FILL(errors, 0) <= 0, 1, 0)',
        usingMetrics: {
          incoming: stream.metricIncomingRecords({ period: PERIOD, statistic: 'Sum' }),
          invocations: live.metricInvocations({ period: PERIOD }),
          errors: live.metricErrors({ period: PERIOD }),
        },
        period: PERIOD,
        label: `${name} is silent`,
      }),
      from: 1,
      periods: 5,
      description: `Records come in, and no invocation of ${name} has finished for 5 minutes: is its mapping enabled?`,
      stops: name,
    },
  ];
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
        period: PERIOD,
        statistic: 'Maximum',
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
        metric: live.metricDuration({ period: PERIOD, statistic: 'Maximum' }),
        from: (lambda.timeout?.toMilliseconds() ?? 0) * TIMEOUT_SHARE_MAX,
        periods: 3,
        description: `Invocations of ${name} take four fifths of its timeout, three minutes in a row.`,
        stops: name,
      },
      {
        name: `${name}IteratorAge`,
        severity: urgent,
        // Of the function: Lambda documents the metrics of invocations alone for an alias, and nothing else invokes it.
        metric: lambda.metric('IteratorAge', { period: PERIOD, statistic: 'Maximum' }),
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
      {
        name: `${name}Throttles`,
        severity: 'note',
        metric: live.metricThrottles({ period: PERIOD }),
        from: 1,
        periods: 3,
        description: `${name} wants more concurrency than the account has.`,
      },
      {
        name: `${name}GivenUp`,
        severity: 'note',
        metric: new Metric({
          namespace: 'AWS/Lambda',
          metricName: 'OnFailureDestinationDeliveredEventCount',
          dimensionsMap: { EventSourceMappingUUID: mapping.ref },
          period: PERIOD,
          statistic: 'Sum',
        }),
        from: 1,
        periods: 1,
        description: `${name} gave up records. They lie in the bucket under aws/lambda/ and wait to be redriven.`,
      },
      {
        name: `${name}Lost`,
        severity: urgent,
        metric: new Metric({
          namespace: 'AWS/Lambda',
          metricName: 'DroppedEventCount',
          dimensionsMap: { EventSourceMappingUUID: mapping.ref },
          period: PERIOD,
          statistic: 'Sum',
        }),
        from: 1,
        periods: 1,
        description: `${name} gave up records that could not be kept either. They are in the stream until its retention ends: replay.`,
      },
    ];
  });
  const projected = (
    metricName: 'quarantined' | 'stateRejections',
    description: string,
    more: Pick<AlarmRule, 'stops'> = {},
  ): AlarmRule => ({
    ...more,
    name: metricName === 'quarantined' ? 'Quarantine' : 'StateRejections',
    severity: 'note',
    metric: new Metric({
      namespace: PROJECTOR_NAMESPACE,
      metricName,
      dimensionsMap: { streamName: eventStream.stream.streamName },
      period: PERIOD,
      statistic: 'Sum',
    }),
    from: 1,
    periods: 1,
    description,
  });
  return [
    ...rules,
    projected('quarantined', 'Invalid records went to quarantine: `npm run ops -- quarantine list`.'),
    projected(
      'stateRejections',
      'A state could not be written; its pages are whole: `npm run ops -- verify`.',
      { stops: 'Projector' },
    ),
  ];
}

function tableRules({ tables }: AlarmsProps): AlarmRule[] {
  const throttled = (name: string, tableName: string): AlarmRule[] =>
    (['Write', 'Read'] as const).map((kind) => ({
      name: `${name}${kind === 'Write' ? '' : kind}Throttles`,
      severity: 'note',
      metric: new Metric({
        namespace: 'AWS/DynamoDB',
        metricName: `${kind}ThrottleEvents`,
        dimensionsMap: { TableName: tableName },
        period: PERIOD,
        statistic: 'Sum',
      }),
      from: 1,
      periods: 3,
      description: `${kind}s of ${name} are throttled: a hot partition, or a burst beyond twice the last peak.`,
    }));
  return [
    ...throttled('Events', tables.inUse.events),
    ...throttled('DeviceState', tables.inUse.deviceState),
    ...throttled('ShardProgress', tables.shardProgress.tableName),
    ...throttled('Operations', tables.operations.tableName),
  ];
}

function deliveryRules({ archive, configuration }: AlarmsProps): AlarmRule[] {
  const metric = (metricName: string, statistic: string) =>
    new Metric({
      namespace: 'AWS/Firehose',
      metricName,
      dimensionsMap: { DeliveryStreamName: archive.deliveryStream.ref },
      period: PERIOD,
      statistic,
    });
  const staleSeconds = configuration.archiveBufferSeconds * DELIVERY_INTERVALS_MAX;
  return [
    {
      name: 'ArchiveFreshness',
      severity: 'note',
      metric: metric('DeliveryToS3.DataFreshness', 'Maximum'),
      from: staleSeconds,
      periods: 3,
      description: `The oldest event that is not in the archive yet waits for ${staleSeconds} s or more.`,
    },
    {
      name: 'ArchiveThrottles',
      severity: 'note',
      metric: metric('ThrottledRecords', 'Sum'),
      from: 1,
      periods: 3,
      description: 'Firehose takes less than comes: raise its quota. See docs/deploy.md.',
    },
  ];
}

function apiRules({ queryApi: { api, reads, corrections, quarantine, service } }: AlarmsProps): AlarmRule[] {
  return [
    {
      name: 'ApiFailures',
      severity: 'page',
      metric: api.metricServerError({ period: PERIOD, statistic: 'Sum' }),
      from: API_FAILURES_A_MINUTE_MAX,
      periods: 3,
      description: 'Requests to the query API fail, three minutes in a row.',
      stops: 'Api',
    },
    {
      name: 'ApiThrottles',
      severity: 'note',
      metric: reads.live.metricThrottles({ period: PERIOD }),
      from: 1,
      periods: 3,
      description: 'The query API wants more concurrency than the account has.',
    },
    {
      name: 'CorrectionsThrottles',
      severity: 'note',
      metric: corrections.live.metricThrottles({ period: PERIOD }),
      from: 1,
      periods: 3,
      description: 'The function for corrections wants more concurrency than the account has.',
    },
    {
      name: 'QuarantineThrottles',
      severity: 'note',
      metric: quarantine.live.metricThrottles({ period: PERIOD }),
      from: 1,
      periods: 3,
      description: 'The function for the quarantine wants more concurrency than the account has.',
    },
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
      metric: targets.metrics.healthyHostCount({ period: PERIOD, statistic: 'Maximum' }),
      isBelow: true,
      from: 1,
      periods: 3,
      description: 'No task of the query service is ready: lists, counts and updates are old, or fail.',
    },
    {
      name: 'FleetMemory',
      severity: 'note',
      metric: service.metricMemoryUtilization({ period: PERIOD, statistic: 'Maximum' }),
      from: SERVICE_MEMORY_PERCENT_MAX,
      periods: 5,
      description:
        'The query service needs almost all of its memory: the fleet has more devices than the stage states.',
    },
  ];
}
