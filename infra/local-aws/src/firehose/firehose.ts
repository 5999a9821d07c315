import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { s3Client } from '@twinstream/aws/s3';
import { type Clock, type Logger, systemClock } from '@twinstream/runtime';
import type { FaultInjector } from '../faults/fault-rule.ts';
import { answer, type LoopbackServer, listenOnLoopback, readBody } from '../http/loopback-server.ts';
import type { Buffering, DeliveryStreamStatus } from './delivery-stream.ts';
import { deliveryStreamFolder, NO_DELIVERY_STREAM_FILES } from './delivery-stream-files.ts';
import { DeliveryStreams } from './delivery-streams.ts';
import { type FirehoseRefusal, INTERNAL_FAILURE, type Result, refused, SLOW_DOWN } from './firehose-error.ts';
import { type OperationContext, operationNamed } from './firehose-operations.ts';

const TARGET = 'Firehose_20150804.';
const JSON_TYPE = 'application/x-amz-json-1.1';
/** 4 MiB of records in base64, and a margin for names. */
const REQUEST_BYTES_MAX = 8 * 1024 * 1024;
/** What is buffered at close() is delivered within this time, or stays on disk. */
const CLOSE_GRACE_MS = 20_000;

export interface FirehoseOptions {
  readonly s3Url: string;
  /** Folder that keeps streams and accepted records; in memory when absent. */
  readonly dataDir?: string;
  readonly injector: FaultInjector;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  /** Instead of the buffering hints of the streams, which know whole seconds and megabytes only; for tests. */
  readonly buffering?: Buffering;
  readonly region?: string;
  readonly accountId?: string;
  readonly logger: Logger;
  readonly clock?: Clock;
}

/** A running Firehose emulator. */
export interface Firehose extends LoopbackServer {
  /** Delivers what is buffered now and resolves when it is in S3. */
  flush(): Promise<void>;
  /** By stream name. */
  status(): Readonly<Record<string, DeliveryStreamStatus>>;
}

/**
 * Starts the embedded Firehose on 127.0.0.1: direct puts, buffered by size and time, written to S3. What was
 * acknowledged is delivered at least once, over kill -9 too where there is a `dataDir`. close() delivers what is buffered.
 *
 * Throws `PORT_TAKEN` or `DELIVERY_STREAMS_UNREADABLE`.
 */
export async function startFirehose(options: FirehoseOptions): Promise<Firehose> {
  const { dataDir, injector, logger, clock = systemClock } = options;
  const { region = 'us-east-1', accountId = '000000000000' } = options;
  const s3 = s3Client({
    endpoint: options.s3Url,
    region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const streams = new DeliveryStreams({
    accountId,
    files: dataDir === undefined ? NO_DELIVERY_STREAM_FILES : await deliveryStreamFolder(dataDir),
    putObject: async (Bucket, Key, Body) => {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'application/octet-stream' }));
    },
    buffering: options.buffering,
    clock,
    random: Math.random,
    logger,
  });
  await streams.open();
  const context = { streams, region, accountId, clock };
  const server = await listenOnLoopback(
    (request, response) => serve(request, response, context, { injector, logger }),
    options.port ?? 0,
    (error) => logger.error({ error }, 'Firehose API failed'),
  );
  return {
    ...server,
    flush: () => streams.flush(),
    status: () =>
      Object.fromEntries(streams.list().map((stream) => [stream.definition.name, stream.status()])),
    close: async () => {
      await server.close();
      await streams.close(CLOSE_GRACE_MS);
      s3.destroy();
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  context: OperationContext,
  { injector, logger }: Pick<FirehoseOptions, 'injector' | 'logger'>,
): Promise<void> {
  const body = await readBody(request, REQUEST_BYTES_MAX);
  const target = request.headers['x-amz-target'];
  const operation =
    typeof target === 'string' && target.startsWith(TARGET) ? target.slice(TARGET.length) : '';
  const faults = injector.decide('firehose', operation);
  if (faults !== undefined && faults.delayMs > 0) await context.clock.sleep(faults.delayMs);
  let result: Result<unknown>;
  if (faults?.refusal !== undefined) {
    result = refused(faults.refusal === 'throttle' ? SLOW_DOWN : INTERNAL_FAILURE);
  } else {
    const run = operationNamed(operation);
    const input = body === undefined ? TOO_LONG : parseInput(body);
    if (run === undefined) result = refused(unknownOperation(operation));
    else if (input.kind === 'refused') result = input;
    else {
      result = await run(input.value, context, faults).catch((error: unknown) => {
        logger.error({ error, operation }, 'Firehose operation failed');
        return refused(INTERNAL_FAILURE);
      });
    }
  }
  if (faults?.answerLost) {
    response.destroy();
    return;
  }
  const headers = { 'content-type': JSON_TYPE, 'x-amzn-requestid': randomUUID() };
  if (result.kind === 'ok') return answer(response, 200, headers, JSON.stringify(result.value));
  const { status, name, message } = result.refusal;
  return answer(response, status, headers, JSON.stringify({ __type: name, message }));
}

const TOO_LONG = refused({
  status: 413,
  name: 'RequestEntityTooLargeException',
  message: `a request has at most ${REQUEST_BYTES_MAX} bytes`,
});

function unknownOperation(operation: string): FirehoseRefusal {
  return {
    status: 400,
    name: 'UnknownOperationException',
    message: `the local emulator knows no ${operation}`,
  };
}

function parseInput(body: Buffer): Result<unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return { kind: 'ok', value };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return refused({ status: 400, name: 'SerializationException', message });
  }
}
