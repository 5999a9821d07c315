import type { App } from 'aws-cdk-lib';
import type { StageConfiguration } from '../stages.ts';
import { DashboardStack } from './dashboard-stack.ts';
import { OperationsStack } from './operations-stack.ts';
import { PipelineStack } from './pipeline-stack.ts';

/** The stacks of one stage. The first is the pipeline; the others stand on it, and may be left out. */
export function addStacks(app: App, configuration: StageConfiguration) {
  const { stage, logDays } = configuration;
  const name = `Twinstream-${stage}`;
  const stack = new PipelineStack(app, name, {
    configuration,
    description: 'Twinstream: device events, state, archive and API.',
  });
  const { pipeline, operatorRole } = stack;
  const { eventStream, tables, archive, projector, archiver, queryApi } = pipeline;
  const operations = new OperationsStack(app, `${name}-operations`, {
    description: 'Twinstream: replays and other tasks of operators.',
    stage,
    role: operatorRole.role,
    eventStream,
    tables,
    bucket: archive.bucket,
    projector: projector.consumer.lambda,
    archiver: archiver.consumer.lambda,
    iotSql: configuration.hasIotIngestion ? configuration.iotRule.sql : undefined,
    mappingFiles: configuration.mappingFiles,
    logDays,
    operatorDiskGib: configuration.operatorDiskGib,
  });
  // A browser signs no requests for IAM: the page needs an API that takes tokens.
  const dashboard =
    configuration.access.kind === 'jwt' && queryApi !== undefined
      ? new DashboardStack(app, `${name}-dashboard`, {
          description: 'Twinstream: the page.',
          stage,
          api: queryApi.api,
          loadBalancer: queryApi.service?.loadBalancer,
        })
      : undefined;
  return { pipeline: stack, operations, dashboard };
}
