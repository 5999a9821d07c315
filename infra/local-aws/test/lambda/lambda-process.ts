// A Lambda emulator in a process of its own, so that a test can kill it:
// node lambda-process.ts KINESIS_URL S3_URL FUNCTION_URL DATA_DIR

import { LOCAL_MAPPING_SETTINGS } from '@twinstream/pipeline-settings';
import { createLogger } from '@twinstream/runtime';
import { runChildMain } from '../../src/child-process/child-main.ts';
import { createFaultInjector } from '../../src/faults/seeded-fault-injector.ts';
import { startLambda } from '../../src/lambda/lambda.ts';

const [kinesisUrl = '', s3Url = '', functionUrl = '', dataDir = ''] = process.argv.slice(2);
await runChildMain(() =>
  startLambda({
    kinesis: kinesisUrl,
    s3Url,
    functions: { recorder: functionUrl },
    mappings: [
      {
        functionName: 'recorder',
        streamName: 'device-events',
        settings: { ...LOCAL_MAPPING_SETTINGS, batchSize: 50 },
      },
    ],
    dataDir,
    injector: createFaultInjector(),
    logger: createLogger('lambda', 'silent'),
  }),
);
