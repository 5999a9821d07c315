import type { App } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, expect, test } from 'vitest';
import { FULL, LARGE, makeStacks, removeApps } from './templates.ts';

afterAll(removeApps);

/** What the rules of AWS Solutions find, as the synthesis would refuse it. */
function findings(app: App): string[] {
  const report = new AwsSolutionsChecks(app).validateScope(app);
  return report.violations.flatMap(({ ruleName, violatingResources = [] }) =>
    violatingResources.map((one) => `${ruleName}: ${JSON.stringify(one)}`),
  );
}

test.each([
  ['the full production stage', FULL],
  ['the smallest stage', {}],
  ['a stage with the long-lived API', LARGE],
])('%s breaks no rule of AWS Solutions that it does not explain', (_name, context) => {
  expect(findings(makeStacks(context).app)).toEqual([]);
});

test('the rules do find a bucket that is open to plain HTTP', () => {
  const { app, pipeline } = makeStacks({});
  new Bucket(pipeline, 'Careless');
  expect(findings(app).join()).toContain('AwsSolutions-S10');
});
