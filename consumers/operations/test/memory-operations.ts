import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { lambdaClient } from '@twinstream/aws/lambda';
import { s3Client } from '@twinstream/aws/s3';
import { collectedOutput } from '@twinstream/command-line';
import { memoryShardProgressTable } from '@twinstream/latest-state';
import { memoryQuarantine } from '@twinstream/quarantine';
import { type Clock, createLogger, systemClock } from '@twinstream/runtime';
import { configuredGeneration } from '@twinstream/table-generation';
import { memoryAnnotationStore } from '@twinstream/table-generation/annotations';
import { operationsCommand } from '../src/command/operations-command.ts';
import {
  decodersOf,
  type OperationsServices,
  operationsConfiguration,
  type Stores,
} from '../src/services.ts';
import { memoryStores } from './replay/memory-replay.ts';

/** Nothing listens there: what a command asks of AWS itself fails immediately. */
const NOWHERE = {
  endpoint: 'http://127.0.0.1:1',
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  maxAttempts: 1,
};

export interface MemoryOperations extends OperationsServices {
  readonly stored: Stores;
}

/** Services whose stores and dead letters are in memory, and whose AWS does not answer. */
export function memoryOperations(clock: Clock = systemClock): MemoryOperations {
  const configuration = operationsConfiguration({});
  const stored = memoryStores();
  const s3 = s3Client(NOWHERE);
  return {
    configuration,
    clock,
    logger: createLogger('test', 'silent'),
    dynamoDb: dynamoDbClient(NOWHERE),
    kinesis: kinesisClient(NOWHERE),
    lambda: lambdaClient(NOWHERE),
    s3,
    alarms: undefined,
    quarantine: memoryQuarantine(),
    annotations: memoryAnnotationStore(),
    shardProgress: memoryShardProgressTable(),
    decoders: (files, folder) => decodersOf(files, folder, configuration, s3),
    generation: async () => configuredGeneration(configuration.tables),
    stores: () => stored,
    close: () => undefined,
    stored,
  };
}

/** Runs a command on them, as a person at a terminal who answers so, or in a script, whose stdin is not a terminal. */
export async function runOps(
  services: OperationsServices,
  argv: readonly string[],
  answer?: string,
  stop: AbortSignal = new AbortController().signal,
) {
  const [stdout, stderr] = [collectedOutput(), collectedOutput()];
  const questions: string[] = [];
  const exitCode = await operationsCommand(
    {
      argv,
      folder: '/',
      environment: {},
      stdout,
      stderr,
      clock: services.clock,
      stop,
      ask: async (question) => {
        questions.push(question);
        return answer;
      },
    },
    { enterTarget: () => ({ name: 'local', environment: {} }), openServices: () => services },
  );
  return { exitCode, stdout: stdout.text(), stderr: stderr.text(), questions };
}
