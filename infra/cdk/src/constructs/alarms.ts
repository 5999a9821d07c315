import { Annotations, ArnFormat, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ITopic, SubscriptionProtocol, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription, UrlSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { type AlarmRule, type AlarmsProps, alarmRules, functionsOf, type Severity } from './alarm-rules.ts';
import type { DeployedFunction } from './node-function.ts';

/** What somebody must look at, and the topics that tell them, by severity. */
export class Alarms extends Construct {
  readonly alarms: readonly Alarm[];
  /** Functions of the pipeline, and the alarms that stop a deployment of each. */
  readonly deployments: readonly {
    readonly name: string;
    readonly deployed: DeployedFunction;
    readonly alarms: readonly Alarm[];
  }[];
  readonly topics: Readonly<Record<Severity, ITopic>>;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { alarmEmail, pageUrl } = props.configuration;
    this.topics =
      props.topic === undefined ? this.makeTopics(props) : { page: props.topic, note: props.topic };
    if (alarmEmail !== undefined) {
      for (const topic of new Set(Object.values(this.topics))) {
        topic.addSubscription(new EmailSubscription(alarmEmail));
      }
    }
    if (pageUrl !== undefined) {
      this.topics.page.addSubscription(
        new UrlSubscription(pageUrl, { protocol: SubscriptionProtocol.HTTPS }),
      );
    }
    const rules = alarmRules(props).map((rule) => {
      const description = `${rule.severity}: ${rule.description}`;
      return { rule, alarm: addAlarm(this, { ...rule, description }, this.topics[rule.severity]) };
    });
    this.alarms = rules.map(({ alarm }) => alarm);
    this.deployments = Object.entries(functionsOf(props)).map(([name, deployed]) => ({
      name,
      deployed,
      alarms: rules.flatMap(({ rule, alarm }) => (rule.stops === name ? [alarm] : [])),
    }));
  }

  private makeTopics({ key }: AlarmsProps): Readonly<Record<Severity, Topic>> {
    const topic = (topicId: string) => {
      const made = new Topic(this, topicId, { masterKey: key, enforceSSL: true });
      made.addToResourcePolicy(alarmsMay(made, 'AlarmsPublish', ['sns:Publish'], made.topicArn));
      return made;
    };
    const topics = { page: topic('Topic'), note: topic('Notes') };
    const { statementAdded } = key.addToResourcePolicy(
      alarmsMay(this, 'AlarmsPublishEncrypted', ['kms:Decrypt', 'kms:GenerateDataKey'], '*'),
    );
    if (!statementAdded) {
      Annotations.of(this).addWarningV2(
        'twinstream:alarms-need-key',
        'The policy of the key is not part of this app: it must let cloudwatch.amazonaws.com use kms:Decrypt and kms:GenerateDataKey, or alarms reach nobody. Or give a topic.',
      );
    }
    return topics;
  }
}

/** The alarm of a rule, which tells the topic when it goes off and when all is well again. */
export function addAlarm(
  scope: Construct,
  {
    name,
    metric,
    from,
    periods,
    description,
    isBelow = false,
    alarmsOnSilence = isBelow,
  }: Omit<AlarmRule, 'severity'>,
  topic: ITopic | undefined,
): Alarm {
  const alarm = new Alarm(scope, name, {
    alarmDescription: description,
    metric,
    threshold: from,
    evaluationPeriods: periods,
    comparisonOperator: isBelow
      ? ComparisonOperator.LESS_THAN_THRESHOLD
      : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    // A device fleet that is silent is not broken; what is counted and is not there is.
    treatMissingData: alarmsOnSilence ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
  });
  if (topic !== undefined) {
    const action = new SnsAction(topic);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
  }
  return alarm;
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
