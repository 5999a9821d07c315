import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { StageConfiguration } from '../stages.ts';
import type { Archive } from './archive.ts';
import type { EventStream } from './event-stream.ts';
import type { QueryApi } from './query-api.ts';
import type { StateTables } from './state-tables.ts';
import type { StreamConsumer } from './stream-consumer.ts';

/** Namespace of the metrics that the projector writes into its log. */
export const PROJECTOR_NAMESPACE = 'Twinstream/StateProjector';

export interface AlarmsProps {
  readonly configuration: StageConfiguration;
  readonly key: Key;
  readonly eventStream: EventStream;
  readonly tables: StateTables;
  readonly archive: Archive;
  readonly consumers: Readonly<Record<string, StreamConsumer>>;
  readonly queryApi: QueryApi;
}

interface AlarmRule {
  readonly name: string;
  readonly metric: IMetric;
  /** The alarm goes off at this value. */
  readonly from: number;
  /** How many periods in a row it must be reached. */
  readonly periods: number;
  readonly description: string;
}

const PERIOD = Duration.minutes(1);
const MINUTE_MS = 60_000;
/** A failure now and then is a throttled read, which the caller repeats. */
const API_FAILURES_A_MINUTE_MAX = 5;
/** Delivery takes one buffer interval; three of them in a row are not a coincidence. */
const DELIVERY_INTERVALS_MAX = 3;

/** What somebody must look at, and a topic that tells them. */
export class Alarms extends Construct {
  readonly alarms: readonly Alarm[];
  readonly topic: Topic;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.topic = new Topic(this, 'Topic', { masterKey: props.key, enforceSSL: true });
    allowAlarms(this.topic, props.key);
    const { alarmEmail } = props.configuration;
    if (alarmEmail !== undefined) this.topic.addSubscription(new EmailSubscription(alarmEmail));
    this.alarms = [
      ...streamRules(props),
      ...consumerRules(props),
      ...tableRules(props),
      ...deliveryRules(props),
      ...apiRules(props),
    ].map((rule) => this.alarm(rule));
  }

  private alarm({ name, metric, from, periods, description }: AlarmRule): Alarm {
    const alarm = new Alarm(this, name, {
      alarmDescription: description,
      metric,
      threshold: from,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      // A device fleet that is silent is not broken.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
    return alarm;
  }
}

/**
 * Lets the alarms of this account publish. A policy of a topic replaces the one that allows its account, so that what is not
 * allowed here reaches nobody; and a service that publishes must be able to use the key ("Security best practices for Amazon SNS",
 * "Enable compatibility between event sources from AWS services and encrypted topics", read 2026-11).
 */
function allowAlarms(topic: Topic, key: Key): void {
  const { account } = Stack.of(topic);
  const alarms = Stack.of(topic).formatArn({
    service: 'cloudwatch',
    resource: 'alarm',
    resourceName: '*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  const statement = (sid: string, actions: readonly string[], resource: string) =>
    new PolicyStatement({
      sid,
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: [...actions],
      resources: [resource],
      conditions: {
        StringEquals: { 'aws:SourceAccount': account },
        ArnLike: { 'aws:SourceArn': alarms },
      },
    });
  topic.addToResourcePolicy(statement('AlarmsPublish', ['sns:Publish'], topic.topicArn));
  key.addToResourcePolicy(statement('AlarmsPublishEncrypted', ['kms:Decrypt', 'kms:GenerateDataKey'], '*'));
}

function streamRules({ eventStream: { stream } }: AlarmsProps): AlarmRule[] {
  return [
    {
      name: 'StreamWriteThrottles',
      metric: stream.metricWriteProvisionedThroughputExceeded({ period: PERIOD, statistic: 'Sum' }),
      from: 1,
      periods: 5,
      description:
        'Producers are throttled for 5 minutes: shards are too few, or one device is hot. See docs/deploy.md, "Quotas".',
    },
    {
      name: 'StreamReadThrottles',
      metric: stream.metricReadProvisionedThroughputExceeded({ period: PERIOD, statistic: 'Sum' }),
      from: 1,
      periods: 5,
      description: 'Readers share too little: a replay or a third consumer takes what the projector needs.',
    },
  ];
}

function consumerRules({ consumers, configuration, eventStream }: AlarmsProps): AlarmRule[] {
  const rules = Object.entries(consumers).flatMap(([name, { lambda, mapping }]): AlarmRule[] => [
    {
      name: `${name}IteratorAge`,
      metric: lambda.metric('IteratorAge', { period: PERIOD, statistic: 'Maximum' }),
      from: configuration.iteratorAgeMinutesMax * MINUTE_MS,
      periods: 3,
      description: `${name} lags by ${configuration.iteratorAgeMinutesMax} minutes or more.`,
    },
    {
      name: `${name}Errors`,
      metric: lambda.metricErrors({ period: PERIOD }),
      from: 1,
      periods: 3,
      description: `Invocations of ${name} fail, three minutes in a row.`,
    },
    {
      name: `${name}Throttles`,
      metric: lambda.metricThrottles({ period: PERIOD }),
      from: 1,
      periods: 3,
      description: `${name} wants more concurrency than the account has.`,
    },
    {
      name: `${name}GivenUp`,
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
  ]);
  const projected = (metricName: 'quarantined' | 'stateRejections', description: string): AlarmRule => ({
    name: metricName === 'quarantined' ? 'Quarantine' : 'StateRejections',
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
    ),
  ];
}

function tableRules({ tables }: AlarmsProps): AlarmRule[] {
  const throttled = (name: string, { tableName }: Table): AlarmRule => ({
    name: `${name}Throttles`,
    metric: new Metric({
      namespace: 'AWS/DynamoDB',
      metricName: 'WriteThrottleEvents',
      dimensionsMap: { TableName: tableName },
      period: PERIOD,
      statistic: 'Sum',
    }),
    from: 1,
    periods: 3,
    description: `Writes of ${name} are throttled: a hot partition, or a burst beyond twice the last peak.`,
  });
  return [throttled('Events', tables.events), throttled('DeviceState', tables.deviceState)];
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
      metric: metric('DeliveryToS3.DataFreshness', 'Maximum'),
      from: staleSeconds,
      periods: 3,
      description: `The oldest event that is not in the archive yet waits for ${staleSeconds} s or more.`,
    },
    {
      name: 'ArchiveThrottles',
      metric: metric('ThrottledRecords', 'Sum'),
      from: 1,
      periods: 3,
      description: 'Firehose takes less than comes: raise its quota. See docs/deploy.md.',
    },
  ];
}

function apiRules({ queryApi: { api, lambda, corrections } }: AlarmsProps): AlarmRule[] {
  return [
    {
      name: 'ApiFailures',
      metric: api.metricServerError({ period: PERIOD, statistic: 'Sum' }),
      from: API_FAILURES_A_MINUTE_MAX,
      periods: 3,
      description: 'Requests to the query API fail, three minutes in a row.',
    },
    {
      name: 'ApiThrottles',
      metric: lambda.metricThrottles({ period: PERIOD }),
      from: 1,
      periods: 3,
      description: 'The query API wants more concurrency than the account has.',
    },
    {
      name: 'CorrectionsThrottles',
      metric: corrections.metricThrottles({ period: PERIOD }),
      from: 1,
      periods: 3,
      description: 'The function for corrections wants more concurrency than the account has.',
    },
  ];
}
