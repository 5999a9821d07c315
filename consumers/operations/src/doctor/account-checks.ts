import { type MetricAlarm, paginateDescribeAlarms } from '@aws-sdk/client-cloudwatch';
import { DescribeLimitsCommand as DescribeTableLimitsCommand } from '@aws-sdk/client-dynamodb';
import { DescribeLimitsCommand } from '@aws-sdk/client-kinesis';
import { GetAccountSettingsCommand } from '@aws-sdk/client-lambda';
import { paginateListSubscriptionsByTopic, type SNSClient } from '@aws-sdk/client-sns';
import { UNRESERVED_EXECUTIONS_MIN } from '@twinstream/capacity';
import { whole } from '@twinstream/command-line';
import { functionNameOf } from '@twinstream/pipeline-settings';
import { type Check, checked, type Finding, notChecked } from './check.ts';
import type { DescribedStream, DoctorSubject } from './pipeline-checks.ts';

const ALARMS = 'alarms of the pipeline';

/** That alarms watch the pipeline, act, and reach somebody who has confirmed. */
export async function alarmChecks(subject: DoctorSubject): Promise<readonly Check[]> {
  const { alarms: clients } = subject.services;
  if (clients === undefined) {
    const why = 'a local pipeline has no alarms and no topics';
    return [notChecked('alarm-actions', ALARMS, why), notChecked('alarm-subscriptions', ALARMS, why)];
  }
  const found: MetricAlarm[] = [];
  const actions = await checked('alarm-actions', ALARMS, async () => {
    const pages = paginateDescribeAlarms(
      { client: clients.cloudWatch },
      { AlarmTypes: ['MetricAlarm'] },
      { abortSignal: subject.signal },
    );
    const names = await watchedNames(subject);
    for await (const { MetricAlarms = [] } of pages) {
      found.push(...MetricAlarms.filter((alarm) => dimensionValues(alarm).some((value) => names.has(value))));
    }
    return actionsOf(found);
  });
  if (actions.status === 'not-checked')
    return [actions, notChecked('alarm-subscriptions', ALARMS, actions.found)];
  const topics = [...new Set(found.flatMap(({ AlarmActions = [] }) => AlarmActions))].filter((arn) =>
    arn.includes(':sns:'),
  );
  return [
    actions,
    ...(await Promise.all(
      topics.map((topic) =>
        checked('alarm-subscriptions', `topic ${topic}`, () =>
          subscriptionsOf(clients.sns, topic, subject.signal),
        ),
      ),
    )),
  ];
}

/** Values of dimensions that belong to this pipeline. */
async function watchedNames({ services, signal }: DoctorSubject): Promise<ReadonlySet<string>> {
  const { streamName, projectorFunction, archiveBucket, shardProgressTable, operationsTable } =
    services.configuration;
  const { eventsTable, deviceStateTable } = await services.generation(signal);
  return new Set([
    streamName,
    functionNameOf(projectorFunction),
    archiveBucket,
    eventsTable,
    deviceStateTable,
    shardProgressTable,
    operationsTable,
  ]);
}

function dimensionValues({ Dimensions = [], Metrics = [] }: MetricAlarm): readonly string[] {
  const ofParts = Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric?.Dimensions ?? []);
  return [...Dimensions, ...ofParts].flatMap(({ Value }) => Value ?? []);
}

function actionsOf(alarms: readonly MetricAlarm[]): Finding {
  const silent = alarms.filter(
    ({ ActionsEnabled, AlarmActions = [] }) => ActionsEnabled !== true || AlarmActions.length === 0,
  );
  const names = silent.map(({ AlarmName = '' }) => AlarmName);
  return {
    isOk: alarms.length > 0 && silent.length === 0,
    found:
      silent.length === 0
        ? `${whole(alarms.length)} alarms watch the stream, function, tables or bucket`
        : `without an action that is enabled: ${names.join(', ')}`,
    remedy:
      silent.length === 0
        ? 'deploy the stack again'
        : `aws cloudwatch enable-alarm-actions --alarm-names ${names.join(' ')}; deploy the stack again where there is no action`,
  };
}

async function subscriptionsOf(
  client: SNSClient,
  TopicArn: string,
  abortSignal: AbortSignal,
): Promise<Finding> {
  let [confirmed, pending] = [0, 0];
  for await (const { Subscriptions = [] } of paginateListSubscriptionsByTopic(
    { client },
    { TopicArn },
    { abortSignal },
  )) {
    for (const { SubscriptionArn = '' } of Subscriptions) {
      // Until it is confirmed it has the text PendingConfirmation instead.
      if (SubscriptionArn.startsWith('arn:')) confirmed += 1;
      else pending += 1;
    }
  }
  return {
    isOk: confirmed > 0,
    found: `${whole(confirmed)} confirmed subscriptions, ${whole(pending)} not confirmed`,
    remedy:
      pending > 0
        ? 'confirm the subscription from the message that SNS has sent'
        : `aws sns subscribe --topic-arn ${TopicArn} --protocol email --notification-endpoint ADDRESS, and confirm it`,
  };
}

/** Quotas of account and region against the load that is planned. */
export async function quotaChecks(
  { services, isAws, load, signal }: DoctorSubject,
  { OpenShardCount: ofStream = 0 }: DescribedStream,
): Promise<readonly Check[]> {
  const options = { abortSignal: signal };
  const quotas = [
    {
      check: 'quota-concurrency',
      subject: 'Lambda concurrent executions',
      look: async () => {
        const { AccountLimit } = await services.lambda.send(new GetAccountSettingsCommand({}), options);
        // What would leave less unreserved is refused by Lambda, and the deployment with it.
        const needed = (load?.reservedConcurrency ?? 0) + UNRESERVED_EXECUTIONS_MIN;
        return { quota: AccountLimit?.ConcurrentExecutions ?? 0, needed };
      },
    },
    {
      check: 'quota-shards',
      subject: 'Kinesis shards',
      look: async () => {
        const limits = await services.kinesis.send(new DescribeLimitsCommand({}), options);
        const others = (limits.OpenShardCount ?? 0) - ofStream;
        return { quota: limits.ShardLimit ?? 0, needed: Math.max(0, others) + (load?.shards ?? 0) };
      },
    },
    {
      check: 'quota-write-units',
      subject: 'DynamoDB write units of a table',
      look: async () => {
        const limits = await services.dynamoDb.send(new DescribeTableLimitsCommand({}), options);
        const ofTable = Math.ceil((load?.writeUnitsPerSecond ?? 0) / TABLES_WRITTEN);
        return { quota: limits.TableMaxWriteCapacityUnits ?? 0, needed: ofTable };
      },
    },
  ];
  return Promise.all(
    quotas.map(({ check, subject, look }) => {
      if (!isAws) return notChecked(check, subject, 'a local pipeline has no quotas');
      if (load === undefined) return notChecked(check, subject, 'no load is named: give --plan FILE');
      return checked(check, subject, async () => {
        const { quota, needed } = await look();
        return {
          isOk: quota >= needed,
          found: `${whole(quota)}, of which the plan needs ${whole(needed)}`,
          remedy: 'ask for more in Service Quotas before the first day; docs/deploy.md, "Quotas to raise"',
        };
      });
    }),
  );
}

/** Pages and states take half of the write units each. */
const TABLES_WRITTEN = 2;
