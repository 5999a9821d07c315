import { embeddedMetrics, METRICS } from '@twinstream/state-projector';
import { expect, test } from 'vitest';
import { PROJECTOR_NAMESPACE } from '../src/constructs/alarms.ts';
import { FULL, pipelineTemplate, resources } from './templates.ts';

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
    age: 2,
    errors: 2,
    throttles: 3,
    givenUp: 2,
    lost: 2,
    quarantined: 1,
    stateRejections: 1,
    freshness: 1,
    tables: 2,
    writes: 1,
  });
});

test('reads metrics of the projector under the names that it writes', () => {
  const summary = { ...Object.fromEntries(Object.keys(METRICS).map((name) => [name, 0])) };
  const written = JSON.stringify(
    embeddedMetrics({ ...summary, requestId: '', streamName: 's', shardId: '' } as never, 0),
  );
  for (const name of ['quarantined', 'stateRejections']) expect(written).toContain(`"Name":"${name}"`);
  expect(written).toContain(`"Namespace":"${PROJECTOR_NAMESPACE}"`);
  expect(written).toContain('"Dimensions":[["streamName"]]');
});

test('every alarm tells somebody, says what it means, and is silent without data', () => {
  expect(alarms.length).toBeGreaterThan(15);
  for (const alarm of alarms) {
    expect(alarm.AlarmActions).toHaveLength(1);
    expect(String(alarm.AlarmDescription).length).toBeGreaterThan(20);
    expect(alarm.TreatMissingData).toBe('notBreaching');
  }
});
