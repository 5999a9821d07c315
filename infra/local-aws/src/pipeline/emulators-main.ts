import { CodedError, createLogger, LOG_LEVELS, readConfiguration } from '@twinstream/runtime';
import { z } from 'zod';
import { type Emulators, type EmulatorsOptions, startEmulators } from './emulators.ts';

// A process of its own for the emulators, so that consumers can be killed beside it. It prints its addresses as one line
// of JSON when everything is created and delivering.
const configuration = readConfiguration(
  z.object({
    EMULATORS_DYNAMODB_URL: z.url(),
    EMULATORS_S3_URL: z.url(),
    EMULATORS_FUNCTIONS: z
      .string()
      .transform((text) => z.record(z.string(), z.url()).parse(JSON.parse(text))),
    EMULATORS_SHARDS: z.coerce.number().int().min(1),
    EMULATORS_WINDOW_MS: z.coerce.number().int().min(0),
    EMULATORS_DATA_DIR: z.string().optional(),
    AWS_ENDPOINT_URL_SQS: z.url().optional(),
    TWINSTREAM_LOG_LEVEL: z.enum(LOG_LEVELS).default('warn'),
  }),
  process.env,
);
const dataDir = configuration.EMULATORS_DATA_DIR;
const sqsUrl = configuration.AWS_ENDPOINT_URL_SQS;
const emulators = await start({
  dynamoDbUrl: configuration.EMULATORS_DYNAMODB_URL,
  s3Url: configuration.EMULATORS_S3_URL,
  functions: configuration.EMULATORS_FUNCTIONS,
  shardCount: configuration.EMULATORS_SHARDS,
  batchingWindowMs: configuration.EMULATORS_WINDOW_MS,
  ...(dataDir === undefined ? {} : { dataDir }),
  ...(sqsUrl === undefined ? {} : { sqsUrl }),
  logger: createLogger('local-aws', configuration.TWINSTREAM_LOG_LEVEL),
});
let isStopping = false;
const stop = () => {
  if (isStopping) return;
  isStopping = true;
  void emulators.close().then(() => process.exit(0));
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
process.stdout.write(`${JSON.stringify(emulators.urls)}\n`);

/** Ends the process with one line on standard error on invalid input: a stack trace does not help then. */
async function start(options: EmulatorsOptions): Promise<Emulators> {
  try {
    return await startEmulators(options);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    process.stderr.write(`emulator: ${error.message} (${error.code})\n`);
    process.exit(1);
  }
}
