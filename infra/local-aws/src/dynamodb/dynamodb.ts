import { fileURLToPath } from 'node:url';
import { type ReadyChild, startReadyChild } from '../child-process/ready-child.ts';

/**
 * `dynalite` needs Node alone; `java` is DynamoDB Local 3.x, right in what dynalite leaves out (the old item of a failed
 * condition, index cost, transactions).
 */
export const DYNAMODB_ENGINES = ['dynalite', 'java'] as const;
export type DynamoDbEngine = (typeof DYNAMODB_ENGINES)[number];

export interface DynamoDbOptions {
  readonly engine: DynamoDbEngine;
  /** Folder that keeps the tables across restarts and kills; in memory when absent. */
  readonly dataDir?: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
}

/** A running DynamoDB engine. */
export interface DynamoDb extends ReadyChild {
  readonly engine: DynamoDbEngine;
}

const MAIN_FILES: Readonly<Record<DynamoDbEngine, URL>> = {
  dynalite: new URL('./dynalite-main.ts', import.meta.url),
  java: new URL('./dynamodb-local-main.ts', import.meta.url),
};

/**
 * Starts a DynamoDB engine in a process of its own. dynalite listens on 127.0.0.1; DynamoDB Local listens on all
 * interfaces and cannot be told otherwise, which the caller should warn about. What was acknowledged survives kill -9
 * where there is a `dataDir` (not a loss of power: neither engine syncs each write).
 *
 * Throws `JAVA_MISSING`, `JAVA_TOO_OLD`, `PORT_TAKEN` or `CHILD_NOT_READY`.
 */
export async function startDynamoDb(options: DynamoDbOptions): Promise<DynamoDb> {
  const { engine, dataDir, port } = options;
  const mainFile = fileURLToPath(MAIN_FILES[engine]);
  const child = await startReadyChild(mainFile, [
    ...(port === undefined ? [] : ['--port', String(port)]),
    ...(dataDir === undefined ? [] : ['--path', dataDir]),
  ]);
  return { ...child, engine };
}
