import { CodedError, createLogger, LOG_LEVELS, readConfiguration } from '@twinstream/runtime';
import { z } from 'zod';
import { type StandIns, type StandInsOptions, startStandIns } from './stand-ins.ts';

// A process of its own for the stand-ins, so that consumers can be killed beside it. It prints its addresses as one line
// of JSON when everything is created and delivering.
const configuration = readConfiguration(
  z.object({
    STAND_INS_DYNAMODB_URL: z.url(),
    STAND_INS_S3_URL: z.url(),
    STAND_INS_FUNCTIONS: z
      .string()
      .transform((text) => z.record(z.string(), z.url()).parse(JSON.parse(text))),
    STAND_INS_SHARDS: z.coerce.number().int().min(1),
    STAND_INS_WINDOW_MS: z.coerce.number().int().min(0),
    STAND_INS_DATA_DIR: z.string().optional(),
    TWINSTREAM_LOG_LEVEL: z.enum(LOG_LEVELS).default('warn'),
  }),
  process.env,
);
const dataDir = configuration.STAND_INS_DATA_DIR;
const standIns = await start({
  dynamoDbUrl: configuration.STAND_INS_DYNAMODB_URL,
  s3Url: configuration.STAND_INS_S3_URL,
  functions: configuration.STAND_INS_FUNCTIONS,
  shardCount: configuration.STAND_INS_SHARDS,
  batchingWindowMs: configuration.STAND_INS_WINDOW_MS,
  ...(dataDir === undefined ? {} : { dataDir }),
  logger: createLogger('local-aws', configuration.TWINSTREAM_LOG_LEVEL),
});
let isStopping = false;
const stop = () => {
  if (isStopping) return;
  isStopping = true;
  void standIns.close().then(() => process.exit(0));
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
process.stdout.write(`${JSON.stringify(standIns.urls)}\n`);

/** Ends the process with one line on standard error where something is not as it should be: a stack helps nobody then. */
async function start(options: StandInsOptions): Promise<StandIns> {
  try {
    return await startStandIns(options);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    process.stderr.write(`emulator: ${error.message} (${error.code})\n`);
    process.exit(1);
  }
}
