import type { App } from 'aws-cdk-lib';
import type { StageConfiguration } from '../stages.ts';
import { PipelineStack } from './pipeline-stack.ts';

/** The stacks of one stage. */
export function addStacks(app: App, configuration: StageConfiguration): { readonly pipeline: PipelineStack } {
  const name = `Twinstream-${configuration.stage}`;
  const pipeline = new PipelineStack(app, name, {
    configuration,
    description: 'Twinstream: device events, state, archive and API.',
  });
  return { pipeline };
}
