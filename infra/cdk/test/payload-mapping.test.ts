import { fileURLToPath } from 'node:url';
import { iotRecordForm } from '@twinstream/pipeline-settings';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FULL, makeStacks, removeApps } from './templates.ts';

const MAPPING = fileURLToPath(new URL('../../../mappings/aws-iot-rule.yaml', import.meta.url));

let template: Template;
let operations: Template;

beforeAll(() => {
  const stacks = makeStacks({ ...FULL, mapping: MAPPING, iotTopic: 'dt/+/+/telemetry' });
  template = Template.fromStack(stacks.pipeline);
  operations = Template.fromStack(stacks.operations);
}, 60_000);
afterAll(removeApps);

test('commands on AWS decode with the mapping of the projector', () => {
  const [task] = Object.values(operations.findResources('AWS::ECS::TaskDefinition'));
  const containers: readonly { readonly Environment?: readonly { readonly Name: string }[] }[] =
    task?.Properties.ContainerDefinitions;
  const names = containers.flatMap(({ Environment = [] }) => Environment.map(({ Name }) => Name));
  expect(names).toContain('TWINSTREAM_MAPPING');
});

test('commands on AWS know what the IoT rule makes of a message', () => {
  const [task] = Object.values(operations.findResources('AWS::ECS::TaskDefinition'));
  const containers: readonly {
    readonly Environment?: readonly { readonly Name: string; Value: string }[];
  }[] = task?.Properties.ContainerDefinitions;
  const variables = containers.flatMap(({ Environment = [] }) => Environment);
  const { Value: sql = '' } = variables.find(({ Name }) => Name === 'TWINSTREAM_IOT_SQL') ?? {};
  const [rule] = Object.values(template.findResources('AWS::IoT::TopicRule'));
  expect(sql).toBe(rule?.Properties.TopicRulePayload.Sql);
  expect(iotRecordForm(sql)).toBe('with-topic');
});

test('the projector reads the mapping that is uploaded with the stack', () => {
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: {
      Variables: Match.objectLike({
        TWINSTREAM_PARALLELIZATION_FACTOR: '1',
        TWINSTREAM_MAPPING: { 'Fn::Sub': Match.stringLikeRegexp('^s3://.*[.]yaml$') },
      }),
    },
  });
});

test('the IoT rule passes topic and receive time beside the payload, keyed by the device of the topic', () => {
  const [rule] = Object.values(template.findResources('AWS::IoT::TopicRule'));
  const { Sql: sql, Actions: actions } = rule?.Properties.TopicRulePayload ?? {};
  expect(sql).toBe("SELECT *, topic() AS topic, timestamp() AS receivedAt FROM 'dt/+/+/telemetry'");
  expect(actions[0].Kinesis.PartitionKey).toBe(['$', '{topic(3)}'].join(''));
});
