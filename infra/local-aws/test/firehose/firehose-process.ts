// A Firehose in a process of its own, so that a test can kill it: node firehose-process.ts S3_URL DATA_DIR INTERVAL_MS
import { createLogger } from '@twinstream/runtime';
import { runChildMain } from '../../src/child-process/child-main.ts';
import { createFaultInjector } from '../../src/faults/seeded-fault-injector.ts';
import { startFirehose } from '../../src/firehose/firehose.ts';

const [s3Url = '', dataDir = '', intervalMs = '0'] = process.argv.slice(2);
await runChildMain(() =>
  startFirehose({
    s3Url,
    dataDir,
    injector: createFaultInjector(),
    buffering: { bytesMax: 1_000_000, intervalMs: Number(intervalMs) },
    logger: createLogger('firehose', 'silent'),
  }),
);
