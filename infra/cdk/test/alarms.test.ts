import { readFileSync } from 'node:fs';
import { embeddedMetrics, METRICS } from '@twinstream/state-projector';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { CANARY_NAMESPACE, STATE_AGE_METRIC } from '../src/canary-device/handler.ts';
import { PROJECTOR_NAMESPACE } from '../src/constructs/metrics.ts';
import { ACCOUNT, decide, deployedResources, statementsOf } from './policies.ts';
import {
  type Context,
  FULL,
  makeStacks,
  pipelineTemplate,
  removeApps,
  resource,
  resources,
} from './templates.ts';

const RUNBOOK = new URL('../../../docs/runbook.md', import.meta.url);
const alarms = resources(pipelineTemplate(FULL), 'AWS::CloudWatch::Alarm').map(
  ([, { Properties }]) => Properties,
);
const metricNames = alarms.map(({ Namespace, MetricName }) => `${Namespace} ${MetricName}`);

test('watches lag, errors, throttles, given-up records, quarantine and delivery', () => {
  const count = (name: string) => metricNames.filter((one) => one === name).length;
  expect({
    age: count('AWS/Lambda IteratorAge'),
    errors: count('AWS/Lambda Errors'),
    throttles: count('AWS/Lambda Throttles'),
    givenUp: count('AWS/Lambda OnFailureDestinationDeliveredEventCount'),
    lost: count('AWS/Lambda DroppedEventCount'),
    quarantined: count(`${PROJECTOR_NAMESPACE} quarantined`),
    stateRejections: count(`${PROJECTOR_NAMESPACE} stateRejections`),
    freshness: count('AWS/Firehose DeliveryToS3.DataFreshness'),
    tables: count('AWS/DynamoDB WriteThrottleEvents'),
    writes: count('AWS/Kinesis WriteProvisionedThroughputExceeded'),
  }).toEqual({
    age: 3,
    // Of three consumers, and of the new version of each of seven functions.
    errors: 10,
    throttles: 6,
    givenUp: 3,
    lost: 3,
    quarantined: 1,
    stateRejections: 1,
    // A note, and a page before Firehose drops what it cannot deliver.
    freshness: 2,
    tables: 4,
    writes: 1,
  });
});

test('reads metrics of the projector under the names that it writes', () => {
  const summary = { ...Object.fromEntries(Object.keys(METRICS).map((name) => [name, 0])) };
  const written = JSON.stringify(
    embeddedMetrics({ ...summary, requestId: '', streamName: 's', shardId: '' } as never, 0),
  );
  for (const name of ['events', 'quarantined', 'stateRejections'])
    expect(written).toContain(`"Name":"${name}"`);
  expect(written).toContain(`"Namespace":"${PROJECTOR_NAMESPACE}"`);
  expect(written).toContain('"Dimensions":[["streamName"]]');
});

test('the runbook has a row for every alarm, with its severity, and no other', () => {
  const section = readFileSync(RUNBOOK, 'utf8')
    .split('\n## ')
    .find((text) => text.startsWith('Alarms'));
  const listed = [...(section ?? '').matchAll(/^\| (`.*?`) \| (\w+) \|/gm)].flatMap(
    ([, names = '', severity]) => [...names.matchAll(/`(\w+)`/g)].map(([, name]) => `${name} ${severity}`),
  );
  const made = resources(pipelineTemplate({ ...FULL, fleetApi: 'service' }), 'AWS::CloudWatch::Alarm').map(
    ([id, { Properties }]) => {
      const name = id.replace(/^Alarms(.*)[0-9A-F]{8}$/, '$1');
      return `${name} ${String(Properties.AlarmDescription).split(':')[0]}`;
    },
  );
  expect(listed.sort()).toEqual(made.sort());
});

describe('silence', () => {
  const silent = alarms.filter(({ Metrics }) => JSON.stringify(Metrics)?.includes('incoming'));
  const [expression] = silent.flatMap(({ Metrics }) =>
    z
      .array(z.object({ Expression: z.string().optional() }))
      .parse(Metrics)
      .flatMap((one) => one.Expression ?? []),
  );
  /** The expression, as CloudWatch evaluates it for one minute. */
  const evaluate = (metrics: Readonly<Record<string, number>>): number => {
    const terms = /^IF\(FILL\((\w+), 0\) > 0 AND FILL\((\w+), 0\) - FILL\((\w+), 0\) <= 0, 1, 0\)$/.exec(
      expression ?? '',
    );
    const [incoming = 0, invocations = 0, errors = 0] = (terms ?? [])
      .slice(1)
      .map((name) => metrics[name] ?? 0);
    return terms !== null && incoming > 0 && invocations - errors <= 0 ? 1 : 0;
  };

  test('of projector and archiver is an alarm after five minutes', () => {
    expect(silent).toHaveLength(2);
    for (const alarm of silent) expect(alarm).toMatchObject({ Threshold: 1, EvaluationPeriods: 5 });
  });

  test('waits for the window of the mapping besides: a batch that is gathered is no silence', () => {
    const made = pipelineTemplate({ ...FULL, windowSeconds: 300 });
    const periods = resources(made, 'AWS::CloudWatch::Alarm')
      .filter(([id]) => /^Alarms(Projector|Archiver)Silent/.test(id))
      .map(([id, { Properties }]) => [id.replace(/[0-9A-F]{8}$/, ''), Properties.EvaluationPeriods]);
    expect(Object.fromEntries(periods)).toEqual({ AlarmsProjectorSilent: 10, AlarmsArchiverSilent: 5 });
  });

  test.each([
    ['a mapping that is disabled', { incoming: 100 }, 1],
    ['invocations that all fail', { incoming: 100, invocations: 7, errors: 7 }, 1],
    ['invocations of which one succeeds', { incoming: 100, invocations: 7, errors: 6 }, 0],
    ['a fleet that is silent', {}, 0],
  ])('%s', (_name, metrics, value) => {
    expect(evaluate(metrics)).toBe(value);
  });
});

describe('a fleet whose events are rejected', () => {
  const alarm = resource(pipelineTemplate(FULL), 'AWS::CloudWatch::Alarm', 'AlarmsQuarantineFlood');
  const [expression = ''] = z
    .array(z.object({ Expression: z.string().optional() }))
    .parse(alarm.Metrics)
    .flatMap((one) => one.Expression ?? []);
  /** The expression, as CloudWatch evaluates it for one minute. */
  const evaluate = (rejected: number, events: number): number => {
    const terms =
      /^IF\(FILL\(rejected, 0\) >= (\d+) AND FILL\(rejected, 0\) \* 100 >= \(FILL\(rejected, 0\) \+ FILL\(events, 0\)\) \* (\d+), 1, 0\)$/.exec(
        expression,
      );
    const [least = Number.NaN, percent = Number.NaN] = (terms ?? []).slice(1).map(Number);
    return rejected >= least && rejected * 100 >= (rejected + events) * percent ? 1 : 0;
  };

  test('is a page within five minutes: its states are not updated, and no other page tells', () => {
    expect(alarm).toMatchObject({ Threshold: 1, EvaluationPeriods: 5 });
    expect(String(alarm.AlarmDescription)).toMatch(/^page: /);
  });

  test.each([
    ['all that comes', 6_000_000, 0, 1],
    ['what a tenth of the containers rejects, with a new version', 600_000, 5_400_000, 1],
    ['a few broken devices of many', 3_000, 6_000_000, 0],
    ['the one broken device of a trial', 60, 1, 0],
    ['nothing', 0, 0, 0],
  ])('%s', (_name, rejected, events, value) => {
    expect(evaluate(rejected, events)).toBe(value);
  });
});

test('somebody is called before Firehose drops what it cannot deliver to the archive', () => {
  const alarm = resource(pipelineTemplate(FULL), 'AWS::CloudWatch::Alarm', 'AlarmsArchiveStalled');
  expect(String(alarm.AlarmDescription)).toMatch(/^page: /);
  expect(alarm).toMatchObject({ MetricName: 'DeliveryToS3.DataFreshness' });
  const firehoseKeepsSeconds = 24 * 3_600;
  expect(Number(alarm.Threshold)).toBeLessThanOrEqual(firehoseKeepsSeconds / 4);
});

test('the IoT rule tells of messages that fail, are lost, are throttled, or cannot be read', () => {
  const queries = JSON.stringify(alarms.map(({ Metrics }) => Metrics));
  for (const name of ['Failure', 'ErrorActionFailure', 'RuleMessageThrottled', 'ParseError']) {
    expect(queries).toContain(`SELECT SUM(${name}) FROM \\"AWS/IoT\\" WHERE RuleName = '`);
  }
});

test('alarms and status events follow a promotion to the tables that it has put into use', () => {
  const stream =
    'arn:aws:dynamodb:us-east-1:123456789012:table/Twinstream-prod-fresh-b-device-state/stream/2026';
  const promoted = pipelineTemplate({ ...FULL, generation: 'b', stateStreamArn: stream });
  const watched = resources(promoted, 'AWS::CloudWatch::Alarm')
    .filter(([id]) => /^Alarms(Events|DeviceState)/.test(id))
    .map(([, { Properties }]) => JSON.stringify(Properties.Dimensions));
  expect(watched).toHaveLength(4);
  for (const dimensions of watched)
    expect(dimensions).toMatch(/Twinstream-prod-fresh-b-(events|device-state)/);
  const [, mapping] =
    resources(promoted, 'AWS::Lambda::EventSourceMapping').find(([id]) => id.startsWith('StatusEvents')) ??
    [];
  expect(mapping?.Properties.EventSourceArn).toBe(stream);
  expect(() => pipelineTemplate({ ...FULL, generation: 'b' })).toThrow('stateStreamArn');
});

test('notes and pages go to topics of their own, and both by mail', () => {
  const topicsOf = (severity: string) =>
    new Set(
      alarms
        .filter(({ AlarmDescription }) => String(AlarmDescription).startsWith(`${severity}: `))
        .map(({ AlarmActions }) => JSON.stringify(AlarmActions)),
    );
  expect([
    topicsOf('page').size,
    topicsOf('note').size,
    new Set([...topicsOf('page'), ...topicsOf('note')]).size,
  ]).toEqual([1, 1, 2]);
  const subscriptions = resources(
    pipelineTemplate({ ...FULL, pageUrl: 'https://events.example/sns' }),
    'AWS::SNS::Subscription',
  );
  expect(subscriptions.map(([, { Properties }]) => `${Properties.Protocol}`).sort()).toEqual([
    'email',
    'email',
    'https',
  ]);
});

test('a stage that keeps data and tells nobody says so at every deployment', () => {
  const warnings = (context: Context) => {
    const found = Annotations.fromStack(makeStacks(context).pipeline).findWarning('*', Match.anyValue());
    removeApps();
    return found.filter(({ entry }) => String(entry.data).includes('Alarms of this stage tell nobody'))
      .length;
  };
  const { alarmEmail: _, ...toNobody } = FULL;
  expect([warnings(toNobody), warnings(FULL), warnings({})]).toEqual([1, 0, 0]);
});

test('every alarm tells somebody, says what it means, and is silent without data unless it watches for that', () => {
  expect(alarms.length).toBeGreaterThan(15);
  for (const alarm of alarms) {
    expect(alarm.AlarmActions).toHaveLength(1);
    expect(String(alarm.AlarmDescription).length).toBeGreaterThan(20);
    const isCanary = alarm.Namespace === CANARY_NAMESPACE;
    expect(alarm.TreatMissingData).toBe(isCanary ? 'breaching' : 'notBreaching');
  }
});

test('the canary device tells of a state that is too old, and its silence, and is there by flag alone', () => {
  const [canary, ...others] = alarms.filter(({ Namespace }) => Namespace === CANARY_NAMESPACE);
  expect(others).toEqual([]);
  expect(canary).toMatchObject({
    MetricName: STATE_AGE_METRIC,
    Statistic: 'Maximum',
    // The 5 minutes that a consumer of this stage may lag, and the minute between two reports.
    Threshold: 6 * 60_000,
    EvaluationPeriods: 5,
    Dimensions: [{ Name: 'streamName', Value: { Ref: expect.stringMatching(/^EventStream/) } }],
  });
  const [[, rule] = []] = resources(pipelineTemplate(FULL), 'AWS::Events::Rule');
  expect(rule?.Properties).toMatchObject({
    ScheduleExpression: 'rate(1 minute)',
    Targets: [
      { Arn: { Ref: expect.stringMatching(/^CanaryDeviceLive/) }, RetryPolicy: { MaximumRetryAttempts: 0 } },
    ],
  });
  expect(resources(pipelineTemplate({}), 'AWS::Events::Rule')).toEqual([]);
});

describe.each([
  ['the full stage', FULL],
  ['the smallest stage', {}],
])('alarms of %s reach somebody', (_name, context) => {
  const deployed = deployedResources([pipelineTemplate(context)]);
  const ofType = (type: string) => deployed.filter((one) => one.type === type);
  const topicPolicies = ofType('AWS::SNS::TopicPolicy').map(({ properties }) => ({
    topics: properties.Topics,
    statements: statementsOf(properties.PolicyDocument),
  }));
  const keyStatements = new Map(
    ofType('AWS::KMS::Key').map(({ arn, properties }) => [arn, statementsOf(properties.KeyPolicy)]),
  );
  /** What may be published to a topic, from its policy to the policy of its key. */
  const decisions = (topicArn: string, alarmArn: string, account: string, isSecure: boolean) => {
    const topic = ofType('AWS::SNS::Topic').find(({ arn }) => arn === topicArn);
    const keyArn = String(topic?.properties.KmsMasterKeyId);
    const asked = {
      principal: { service: 'cloudwatch.amazonaws.com' },
      context: {
        'aws:SourceAccount': account,
        'aws:SourceArn': alarmArn.replace(ACCOUNT, account),
        'aws:SecureTransport': String(isSecure),
      },
    };
    const ofTopic = topicPolicies.flatMap(({ topics, statements }) =>
      [topics].flat().includes(topicArn) ? statements : [],
    );
    const ofKey = keyStatements.get(keyArn) ?? [];
    return [
      decide(ofTopic, { ...asked, action: 'sns:Publish', resource: topicArn }),
      decide(ofKey, { ...asked, action: 'kms:Decrypt', resource: keyArn }),
      decide(ofKey, { ...asked, action: 'kms:GenerateDataKey', resource: keyArn }),
    ];
  };
  const actions = ofType('AWS::CloudWatch::Alarm').flatMap(({ id, arn, properties }) =>
    [properties.AlarmActions, properties.OKActions]
      .flat()
      .map((action) => [id, arn, String(action)] as const),
  );

  test('there are actions of every alarm', () => {
    expect(new Set(actions.map(([id]) => id)).size).toBe(ofType('AWS::CloudWatch::Alarm').length);
    expect(actions.length).toBeGreaterThan(30);
  });

  test.each(actions)('%s may publish and use the key', (_id, arn, action) => {
    expect(decisions(action, arn, ACCOUNT, true)).toEqual(['allowed', 'allowed', 'allowed']);
  });

  test('nothing but alarms publishes to their topics: another service needs an allowance, and a check here', () => {
    const topics = ofType('AWS::SNS::Topic').map(({ arn }) => arn);
    const publishers = deployed
      .filter(({ properties }) => topics.some((topic) => JSON.stringify(properties).includes(topic)))
      .map(({ type }) => type)
      .filter((type) => !type.startsWith('AWS::SNS::'));
    expect(new Set(publishers)).toEqual(new Set(['AWS::CloudWatch::Alarm']));
  });

  test('alarms of another account, and requests over plain HTTP, are refused', () => {
    const [, arn, action] = actions[0] ?? ['', '', ''];
    expect(decisions(action, arn, '999999999999', true)).toEqual([
      'not allowed',
      'not allowed',
      'not allowed',
    ]);
    expect(decisions(action, arn, ACCOUNT, false)[0]).toBe('denied');
  });
});
