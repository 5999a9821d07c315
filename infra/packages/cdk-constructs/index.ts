import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PIPELINE_BUNDLES, useCodeFolder } from '@twinstream/cdk/code-folders';

const LAMBDAS = fileURLToPath(new URL('./lambdas/', import.meta.url));
for (const name of PIPELINE_BUNDLES) useCodeFolder(name, join(LAMBDAS, name));

/** Constructs of the AWS CDK whose functions are built already. */
export {
  type ApiAccess,
  type FleetService,
  type IotRule,
  type PipelineTables,
  type SourceStream,
  type StreamCapacity,
  type TableCapacity,
  type TwinstreamAlarmsProps,
  type TwinstreamApiProps,
  type TwinstreamConsumerProps,
  TwinstreamPipeline,
  type TwinstreamPipelineProps,
  type TwinstreamTables,
} from '@twinstream/cdk/twinstream-pipeline';
export {
  TwinstreamProjector,
  type TwinstreamProjectorProps,
} from '@twinstream/cdk/twinstream-projector';
