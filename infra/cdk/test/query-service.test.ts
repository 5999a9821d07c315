import { SERVICE_TASKS } from '@twinstream/capacity';
import { ENDPOINTS } from '@twinstream/query-api/routes';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, describe, expect, test } from 'vitest';
import { stageConfiguration } from '../src/stages.ts';
import {
  LARGE,
  makeStacks,
  PLANNED,
  pipelineTemplate,
  removeApps,
  resource,
  resources,
} from './templates.ts';

const stacks = makeStacks(LARGE);
const template = Template.fromStack(stacks.pipeline);
afterAll(removeApps);

const containers = () => {
  const { ContainerDefinitions } = resource(template, 'AWS::ECS::TaskDefinition', 'ApiService');
  return ContainerDefinitions as Record<string, unknown>[];
};
const refusal = (context: Record<string, unknown>) => () =>
  stageConfiguration((name) => ({ ...PLANNED, ...context })[name as keyof typeof PLANNED]);

describe('the long-lived API', () => {
  test('is two tasks that take a share of no way in, with the memory of their devices', () => {
    expect(resource(template, 'AWS::ECS::Service', 'ApiService')).toMatchObject({
      DesiredCount: SERVICE_TASKS,
      DeploymentConfiguration: {
        MinimumHealthyPercent: 100,
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      },
      VolumeConfigurations: [{ ManagedEBSVolume: { SizeInGiB: 1, Encrypted: true } }],
    });
    expect(resource(template, 'AWS::ECS::TaskDefinition', 'ApiService')).toMatchObject({
      Cpu: '1024',
      Memory: '2048',
    });
  });

  test('runs without root, on a file system that it only reads, and has time to save its view', () => {
    expect(containers()).toHaveLength(2);
    for (const container of containers()) {
      expect(container).toMatchObject({ User: '1000:1000', ReadonlyRootFilesystem: true });
    }
    expect(containers().find(({ Name }) => Name === 'query-api')).toMatchObject({
      StopTimeout: 120,
      HealthCheck: { Command: expect.arrayContaining([expect.stringContaining('/healthz')]) },
      Environment: expect.arrayContaining([
        { Name: 'TWINSTREAM_JWT_ISSUER', Value: 'https://issuer.example' },
        { Name: 'TWINSTREAM_JWT_AUDIENCE', Value: 'dashboard,tools' },
      ]),
    });
  });

  test('is reached from inside alone, when it is ready, and by the same task again', () => {
    expect(resource(template, 'AWS::ElasticLoadBalancingV2::LoadBalancer', 'ApiService')).toMatchObject({
      Scheme: 'internal',
      LoadBalancerAttributes: expect.arrayContaining([
        { Key: 'idle_timeout.timeout_seconds', Value: '60' },
        { Key: 'deletion_protection.enabled', Value: 'true' },
      ]),
    });
    expect(resource(template, 'AWS::ElasticLoadBalancingV2::TargetGroup', 'ApiService')).toMatchObject({
      HealthCheckPath: '/readyz',
      TargetGroupAttributes: expect.arrayContaining([
        { Key: 'stickiness.enabled', Value: 'true' },
        { Key: 'stickiness.lb_cookie.duration_seconds', Value: '600' },
      ]),
    });
    for (const [, { Properties }] of resources(template, 'AWS::EC2::SecurityGroup')) {
      expect(JSON.stringify(Properties.SecurityGroupIngress ?? [])).not.toContain('0.0.0.0/0');
    }
  });

  test('answers for the fleet by the routes of the API, and the function for single devices', () => {
    const byRoute = new Map(
      resources(template, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => [
        Properties.RouteKey,
        JSON.stringify(Properties.Target),
      ]),
    );
    const fleet = byRoute.get('GET /v1/devices');
    const keys = ENDPOINTS.filter(({ path }) => path !== '/v1/updates').map(
      ({ method, path }) => `${method.toUpperCase()} ${path}`,
    );
    expect([...byRoute.keys()].sort()).toEqual(keys.sort());
    const ofFleet = [...byRoute].filter(([, target]) => target === fleet).map(([key]) => key);
    expect(ofFleet.sort()).toEqual([
      'GET /readyz',
      'GET /v1/devices',
      'GET /v1/fleet/aggregates',
      'GET /v1/fleet/summary',
      'GET /v1/pipeline',
    ]);
    const links = resources(template, 'AWS::ApiGatewayV2::Integration').filter(
      ([, { Properties }]) => Properties.ConnectionType === 'VPC_LINK',
    );
    expect(links).toHaveLength(1);
  });

  test('sends its update streams past the HTTP API, which would hold them back', () => {
    if (stacks.dashboard === undefined) throw new Error('no page');
    const page = Template.fromStack(stacks.dashboard);
    const { DistributionConfig } = resource(page, 'AWS::CloudFront::Distribution', 'Dashboard');
    const { CacheBehaviors, Origins } = DistributionConfig as {
      readonly CacheBehaviors: readonly { readonly PathPattern: string; readonly TargetOriginId: string }[];
      readonly Origins: readonly Record<string, unknown>[];
    };
    expect(CacheBehaviors[0]?.PathPattern).toBe('/v1/updates');
    const origin = Origins.find(({ Id }) => Id === CacheBehaviors[0]?.TargetOriginId);
    expect(origin).toMatchObject({ VpcOriginConfig: { OriginReadTimeout: 60 } });
  });

  test('may write its view, and nothing else', () => {
    const { Policies } = resource(template, 'AWS::IAM::Role', 'ApiServiceRole') as {
      readonly Policies: readonly {
        readonly PolicyDocument: { readonly Statement: readonly { readonly Action: string | string[] }[] };
      }[];
    };
    const actions = Policies.flatMap(({ PolicyDocument }) =>
      PolicyDocument.Statement.flatMap(({ Action }) => Action),
    );
    expect(actions.filter((action) => /:(?:Put|Update|Delete|Write|Create)/.test(action))).toEqual([
      's3:PutObject',
    ]);
  });

  test('has alarms where tasks are missing', () => {
    expect(resource(template, 'AWS::CloudWatch::Alarm', 'AlarmsFleetTasksGone')).toMatchObject({
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      TreatMissingData: 'breaching',
    });
  });

  test('is absent where the function suffices', () => {
    expect(resources(pipelineTemplate(PLANNED), 'AWS::ECS::Service')).toEqual([]);
  });
});

describe('a stage whose fleet nothing can answer for', () => {
  test('is refused with words that say what to do', () => {
    expect(refusal({ devices: 190_001 })).toThrow(
      /fleetApi: a function reads the states of 190000 devices.*set it to service, with jwtIssuer and jwtAudience/,
    );
    expect(refusal({ devices: 190_000 })).not.toThrow();
    expect(refusal({ fleetApi: 'service' })).toThrow(
      /fleetApi: a service checks the tokens .* set jwtIssuer/,
    );
    expect(refusal({ ...LARGE, devices: 4_000_001 })).toThrow(/deploy a stage for each part of the fleet/);
  });
});
