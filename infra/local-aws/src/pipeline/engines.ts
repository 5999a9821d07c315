import { join } from 'node:path';
import { CodedError, type Environment } from '@twinstream/runtime';
import type { ReadyChild } from '../child-process/ready-child.ts';
import { type DynamoDbEngine, startDynamoDb } from '../dynamodb/dynamodb.ts';
import { LOOPBACK } from '../http/loopback-server.ts';
import { startS3 } from '../s3/s3.ts';
import { type ChildApp, startChildApp } from './child-app.ts';
import type { EmulatorUrls } from './names.ts';
import type { StartOptions } from './start-options.ts';
import type { Stoppable } from './stop-parts.ts';

const EMULATORS_MAIN = new URL('./emulators-main.ts', import.meta.url).href;

export interface EngineOptions extends Pick<StartOptions, 'dynamodb' | 'shards' | 'window'> {
  /** Without AWS settings. */
  readonly environment: Environment;
  readonly dataDir: string | undefined;
  /** Ports of the function hosts, by function name. */
  readonly ports: ReadonlyMap<string, number>;
}

/** The emulated AWS: three processes, none of which can be missing. */
export interface Engines {
  readonly urls: EmulatorUrls;
  /** Process ids by name. */
  readonly pids: Readonly<Record<string, number>>;
  /** Resolves to an `ENGINE_ENDED` that names it when one of them ends. */
  readonly ended: Promise<CodedError>;
}

/** Starts DynamoDB and S3, then Kinesis, Firehose and Lambda on them. What has started is in `started`, also when it throws. */
export async function startEngines(options: EngineOptions, started: Stoppable[]): Promise<Engines> {
  const { dynamodb, shards, window, environment, dataDir, ports } = options;
  const folder = (name: string) => (dataDir === undefined ? {} : { dataDir: join(dataDir, name) });
  const keep = async (starting: Promise<ReadyChild>): Promise<ReadyChild> => {
    const engine = await starting;
    started.push({ stop: (deadlineMs) => engine.close(deadlineMs) });
    return engine;
  };
  const [dynamoDb, s3] = await Promise.all([
    keep(startDynamoDb({ engine: dynamodb, ...folder('dynamodb') })),
    keep(startS3(folder('s3'))),
  ]);
  const functions = Object.fromEntries(
    [...ports].map(([name, port]) => [name, `http://${LOOPBACK}:${port}`] as const),
  );
  const emulator = startChildApp({
    name: 'emulator',
    main: EMULATORS_MAIN,
    environment: {
      ...environment,
      EMULATORS_DYNAMODB_URL: dynamoDb.url,
      EMULATORS_S3_URL: s3.url,
      EMULATORS_FUNCTIONS: JSON.stringify(functions),
      EMULATORS_SHARDS: String(shards),
      EMULATORS_WINDOW_MS: String(window),
      ...(dataDir === undefined ? {} : { EMULATORS_DATA_DIR: dataDir }),
    },
  });
  started.push(emulator);
  const urls: EmulatorUrls = JSON.parse(await emulator.firstLine());
  return {
    urls,
    pids: { dynamodb: dynamoDb.pid, s3: s3.pid, emulator: emulator.pid ?? 0 },
    ended: anyEnded({ dynamodb, dynamoDb, s3, emulator }),
  };
}

interface Running {
  readonly dynamodb: DynamoDbEngine;
  readonly dynamoDb: Pick<ReadyChild, 'pid' | 'exited'>;
  readonly s3: Pick<ReadyChild, 'pid' | 'exited'>;
  readonly emulator: Pick<ChildApp, 'pid' | 'exited'>;
}

/** Resolves to an `ENGINE_ENDED` that names the first that ends, and how. */
export function anyEnded({ dynamodb, dynamoDb, s3, emulator }: Running): Promise<CodedError> {
  const engineEnded = async (what: string, { pid, exited }: Running['s3']): Promise<CodedError> => {
    const { code, signal, errorTail } = await exited;
    return ended(`${what}, process ${pid})`, signal ?? code ?? 'unknown', errorTail);
  };
  const emulatorEnded = async (): Promise<CodedError> =>
    ended(`Kinesis, Firehose and Lambda (process ${emulator.pid})`, await emulator.exited, '');
  return Promise.race([
    engineEnded(`DynamoDB (${dynamodb}`, dynamoDb),
    engineEnded('S3 (fauxqs', s3),
    emulatorEnded(),
  ]);
}

/** What ended, and how: a signal's name or an exit code. */
function ended(what: string, how: string | number, errorTail: string): CodedError {
  const manner = typeof how === 'number' ? `with code ${how}` : `by ${how}`;
  const tail = errorTail.trim() === '' ? '' : `\n${errorTail.trim()}`;
  return new CodedError('ENGINE_ENDED', `the emulator of ${what} ended ${manner}${tail}`);
}
