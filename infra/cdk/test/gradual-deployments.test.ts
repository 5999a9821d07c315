import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { FULL, makeStacks, pipelineTemplate, removeApps, resource, resources } from './templates.ts';

const prod = pipelineTemplate(FULL);
const dev = pipelineTemplate({});

const FUNCTIONS = [
  'ApiCorrections',
  'ApiQuarantine',
  'ApiQueryApi',
  'ArchiverEventArchiverConsumer',
  'CanaryDevice',
  'ProjectorStateProjectorConsumer',
  'StatusEventsStatusPublisher',
];
const named = (ids: readonly string[]): string[] =>
  ids.map((id) => id.replace(/(Function|Live)[0-9A-F]{8}$/, '')).sort();

const aliases = (template: Template) => resources(template, 'AWS::Lambda::Alias');
const ofThisProject = (template: Template) =>
  resources(template, 'AWS::Lambda::Function').filter(([id]) => !id.startsWith('CustomS3'));

describe('every function', () => {
  test('has an alias `live` on a version of it, in every stage', () => {
    for (const template of [prod, dev]) {
      expect(named(aliases(template).map(([id]) => id))).toEqual(
        named(ofThisProject(template).map(([id]) => id)),
      );
      for (const [, { Properties }] of aliases(template)) {
        expect(Properties).toMatchObject({
          Name: 'live',
          FunctionVersion: { 'Fn::GetAtt': [expect.stringMatching(/CurrentVersion/), 'Version'] },
        });
      }
    }
    expect(named(aliases(prod).map(([id]) => id))).toEqual(FUNCTIONS);
  });

  test('keeps its former versions, to go back to', () => {
    const versions = Object.values(prod.findResources('AWS::Lambda::Version'));
    expect(versions).toHaveLength(FUNCTIONS.length);
    for (const { DeletionPolicy } of versions) expect(DeletionPolicy).toBe('Retain');
  });

  test('is invoked by its alias alone: by mappings, the API, operators', () => {
    const isAlias = (id: unknown) => aliases(prod).some(([alias]) => alias === id);
    const ref = z.object({ Ref: z.string() });
    const mappings = resources(prod, 'AWS::Lambda::EventSourceMapping');
    expect(mappings).toHaveLength(3);
    for (const [, { Properties }] of mappings)
      expect(isAlias(ref.parse(Properties.FunctionName).Ref)).toBe(true);
    const integrations = resources(prod, 'AWS::ApiGatewayV2::Integration');
    expect(integrations).toHaveLength(3);
    for (const [, { Properties }] of integrations) {
      expect(isAlias(ref.parse(Properties.IntegrationUri).Ref)).toBe(true);
    }
    const permissions = resources(prod, 'AWS::Lambda::Permission');
    expect(permissions.length).toBeGreaterThan(10);
    for (const [, { Properties }] of permissions)
      expect(isAlias(ref.parse(Properties.FunctionName).Ref)).toBe(true);
  });
});

test('operators find the mappings of the aliases', () => {
  const tasks = resources(Template.fromStack(makeStacks(FULL).operations), 'AWS::ECS::TaskDefinition');
  removeApps();
  const environment = JSON.stringify(tasks);
  for (const name of ['PROJECTOR', 'ARCHIVER']) {
    expect(environment).toMatch(
      new RegExp(`"TWINSTREAM_${name}_FUNCTION","Value":\\{"Fn::Join":\\["",\\[[^\\]]*,":live"\\]\\]`),
    );
  }
  const { Outputs } = z
    .object({ Outputs: z.record(z.string(), z.object({ Value: z.unknown() })) })
    .parse(prod.toJSON());
  expect(Outputs.ProjectorFunction?.Value).toEqual({ Ref: expect.stringMatching(/^Projector.*Live/) });
  expect(Outputs.ArchiverFunction?.Value).toEqual({ Ref: expect.stringMatching(/^Archiver.*Live/) });
});

const groupSchema = z.object({
  DeploymentConfigName: z.string(),
  AlarmConfiguration: z.object({
    Enabled: z.literal(true),
    Alarms: z.array(z.object({ Name: z.object({ Ref: z.string() }) })),
  }),
  AutoRollbackConfiguration: z.object({ Enabled: z.literal(true), Events: z.array(z.string()) }),
});
const groups = resources(prod, 'AWS::CodeDeploy::DeploymentGroup').map(([id, { Properties }]) => ({
  id,
  ...groupSchema.parse(Properties),
}));
const stopping = (prefix: string) =>
  groups
    .filter(({ id }) => id.startsWith(prefix))
    .flatMap(({ AlarmConfiguration }) => AlarmConfiguration.Alarms)
    .map(({ Name }) => Name.Ref.replace(/^Alarms(.*)[0-9A-F]{8}$/, '$1'))
    .sort();

describe('a deployment of a stage that keeps data', () => {
  test('gives each new version a tenth of the invocations for ten minutes first', () => {
    expect(groups).toHaveLength(FUNCTIONS.length);
    for (const { DeploymentConfigName } of groups) {
      expect(DeploymentConfigName).toBe('CodeDeployDefault.LambdaCanary10Percent10Minutes');
    }
    const policies = Object.values(prod.findResources('AWS::Lambda::Alias')).map(
      ({ UpdatePolicy }) => UpdatePolicy.CodeDeployLambdaAliasUpdate.DeploymentGroupName.Ref,
    );
    expect(policies.sort()).toEqual(groups.map(({ id }) => id).sort());
  });

  test('goes back when an alarm of the function goes off', () => {
    for (const { AutoRollbackConfiguration } of groups) {
      expect(AutoRollbackConfiguration.Events.sort()).toEqual([
        'DEPLOYMENT_FAILURE',
        'DEPLOYMENT_STOP_ON_ALARM',
        'DEPLOYMENT_STOP_ON_REQUEST',
      ]);
    }
    expect(stopping('DeploymentsProjector')).toEqual([
      'CanaryState',
      'ProjectorErrors',
      'ProjectorIteratorAge',
      'ProjectorNearTimeout',
      'ProjectorNewVersionErrors',
      'ProjectorSilent',
      'QuarantineFlood',
      'StateRejections',
    ]);
    expect(stopping('DeploymentsArchiver')).toEqual([
      'ArchiverErrors',
      'ArchiverIteratorAge',
      'ArchiverNearTimeout',
      'ArchiverNewVersionErrors',
      'ArchiverSilent',
    ]);
    expect(stopping('DeploymentsApi')).toEqual(['ApiFailures', 'ApiNewVersionErrors']);
    expect(stopping('DeploymentsCorrections')).toEqual(['CorrectionsNewVersionErrors']);
    expect(stopping('DeploymentsQuarantineApi')).toEqual(['QuarantineApiNewVersionErrors']);
  });

  test('counts the errors of the new version apart', () => {
    expect(resource(prod, 'AWS::CloudWatch::Alarm', 'AlarmsProjectorNewVersionErrors')).toMatchObject({
      MetricName: 'Errors',
      Dimensions: [
        {
          Name: 'ExecutedVersion',
          Value: { 'Fn::GetAtt': [expect.stringMatching(/^Projector.*CurrentVersion/), 'Version'] },
        },
        { Name: 'FunctionName', Value: { Ref: expect.stringMatching(/^ProjectorStateProjector/) } },
        { Name: 'Resource', Value: { 'Fn::Join': ['', [expect.anything(), ':live']] } },
      ],
    });
  });

  test('does not wait for itself: references and update policies have no circle', () => {
    expect(circleIn(prod)).toBeUndefined();
  });
});

test('a stage for trials, and one that says so, shifts immediately and without alarms of versions', () => {
  for (const template of [dev, pipelineTemplate({ ...FULL, rollout: 'immediate' })]) {
    expect(resources(template, 'AWS::CodeDeploy::DeploymentGroup')).toEqual([]);
    expect(resources(template, 'AWS::CloudWatch::Alarm').filter(([id]) => id.includes('NewVersion'))).toEqual(
      [],
    );
    for (const { UpdatePolicy } of Object.values(template.findResources('AWS::Lambda::Alias'))) {
      expect(UpdatePolicy).toBeUndefined();
    }
  }
});

/** Resources that wait for each other, in a circle; CloudFormation counts references of update policies, too. */
function circleIn(template: Template): readonly string[] | undefined {
  const { Resources } = z.object({ Resources: z.record(z.string(), z.unknown()) }).parse(template.toJSON());
  const needs = (id: string): string[] =>
    [
      ...JSON.stringify(Resources[id]).matchAll(
        /"(?:Ref|Fn::GetAtt|DependsOn)":(?:\[((?:"[^"]*",?)*)|"([^"]*)")/g,
      ),
    ]
      .flatMap(
        ([, several, one]) => one ?? (several ?? '').split(',').map((quoted) => quoted.replaceAll('"', '')),
      )
      .filter((other) => other !== id && other in Resources);
  const done = new Set<string>();
  const visit = (id: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(id)) return [...path, id];
    if (done.has(id)) return undefined;
    for (const other of needs(id)) {
      const circle = visit(other, [...path, id]);
      if (circle !== undefined) return circle;
    }
    done.add(id);
    return undefined;
  };
  for (const id of Object.keys(Resources)) {
    const circle = visit(id, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}
