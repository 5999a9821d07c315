import { readFileSync } from 'node:fs';
import { PAGE_CONTENT_SECURITY_POLICY } from '@twinstream/query-api/content-security-policy';
import { ENDPOINTS } from '@twinstream/query-api/routes';
import { READ_SCOPE, WRITE_SCOPE } from '@twinstream/query-api/scopes';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isLike } from './policies.ts';
import { FULL, makeStacks, pipelineTemplate, removeApps, resource, resources } from './templates.ts';

const iamTemplate = pipelineTemplate({});
const jwt = makeStacks(FULL);
const jwtTemplate = Template.fromStack(jwt.pipeline);
afterAll(removeApps);

function routes(template: Template) {
  return new Map(
    resources(template, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => [
      Properties.RouteKey,
      Properties,
    ]),
  );
}

describe('routes', () => {
  test('are those that the API describes, and no catch-all', () => {
    const keys = ENDPOINTS.map(({ method, path }) => `${method.toUpperCase()} ${path}`).sort();
    expect([...routes(jwtTemplate).keys()].sort()).toEqual(keys);
  });

  test('ask for a token with the scope of the operation', () => {
    for (const { method, path, scope } of ENDPOINTS) {
      const route = routes(jwtTemplate).get(`${method.toUpperCase()} ${path}`);
      if (scope === 'open') expect(route).toMatchObject({ AuthorizationType: 'NONE' });
      else {
        expect(route).toMatchObject({
          AuthorizationType: 'JWT',
          AuthorizationScopes: [scope === 'write' ? WRITE_SCOPE : READ_SCOPE],
        });
      }
    }
  });

  test('ask for a signature where no issuer is named', () => {
    const types = ENDPOINTS.filter(({ scope }) => scope !== 'open').map(
      ({ method, path }) => routes(iamTemplate).get(`${method.toUpperCase()} ${path}`)?.AuthorizationType,
    );
    expect(new Set(types)).toEqual(new Set(['AWS_IAM']));
  });
});

test('the authorizer checks issuer and audience', () => {
  expect(resource(jwtTemplate, 'AWS::ApiGatewayV2::Authorizer', 'Api')).toMatchObject({
    AuthorizerType: 'JWT',
    JwtConfiguration: { Issuer: 'https://issuer.example', Audience: ['dashboard', 'tools'] },
  });
});

test('requests are limited and logged', () => {
  expect(resource(jwtTemplate, 'AWS::ApiGatewayV2::Stage', 'Api')).toMatchObject({
    DefaultRouteSettings: { ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1_000 },
    AccessLogSettings: { DestinationArn: expect.anything() },
  });
});

test('the document of security names each path that is open', () => {
  const document = readFileSync(new URL('../../../docs/security.md', import.meta.url), 'utf8');
  const row = document.split('\n').find((line) => line.includes('are open and reveal nothing'));
  const open = ENDPOINTS.filter(({ scope }) => scope === 'open').map(({ path }) => `\`${path}\``);
  expect(open.filter((path) => !row?.includes(path))).toEqual([]);
});

const behaviors = z.object({ CacheBehaviors: z.array(z.object({ PathPattern: z.string() })) });

describe('page', () => {
  test('is deployed where the API takes tokens, and only there', () => {
    expect(jwt.dashboard).toBeDefined();
    expect(makeStacks({}).dashboard).toBeUndefined();
  });

  test('is sent with the policy of the local server, over TLS, from a bucket that only CloudFront reads', () => {
    if (jwt.dashboard === undefined) throw new Error('no page');
    const template = Template.fromStack(jwt.dashboard);
    expect(resource(template, 'AWS::CloudFront::ResponseHeadersPolicy', 'Dashboard')).toMatchObject({
      ResponseHeadersPolicyConfig: {
        SecurityHeadersConfig: {
          ContentSecurityPolicy: { ContentSecurityPolicy: PAGE_CONTENT_SECURITY_POLICY, Override: true },
          FrameOptions: { FrameOption: 'DENY', Override: true },
          StrictTransportSecurity: { AccessControlMaxAgeSec: 31_536_000 },
        },
      },
    });
    const { DistributionConfig } = resource(template, 'AWS::CloudFront::Distribution', 'Dashboard');
    expect(DistributionConfig).toMatchObject({
      DefaultCacheBehavior: { ViewerProtocolPolicy: 'redirect-to-https' },
    });
    const { CacheBehaviors } = behaviors.parse(DistributionConfig);
    const unanswered = ENDPOINTS.filter(
      ({ path }) => !CacheBehaviors.some(({ PathPattern }) => isLike(PathPattern, path)),
    );
    expect(unanswered.map(({ path }) => path)).toEqual([]);
    expect(CacheBehaviors.some(({ PathPattern }) => isLike(PathPattern, '/index.html'))).toBe(false);
    expect(resources(template, 'AWS::CloudFront::OriginAccessControl')).toHaveLength(1);
    for (const [, { Properties }] of resources(template, 'AWS::S3::Bucket')) {
      expect(Properties.PublicAccessBlockConfiguration).toMatchObject({ RestrictPublicBuckets: true });
    }
  });
});
