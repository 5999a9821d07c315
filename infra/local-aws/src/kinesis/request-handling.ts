import { randomUUID } from 'node:crypto';
import type { FaultInjector, RequestFaults } from '../faults/fault-rule.ts';
import { ApiError, internalFailure, limitExceeded, serializationFailed } from './api-error.ts';
import { EVENT_STREAM_CONTENT_TYPE } from './event-stream-message.ts';
import { jsonFormat } from './json-format.ts';
import { countOne } from './kinesis-counters.ts';
import type { Answer, KinesisService } from './operation.ts';
import { DATA_OPERATIONS, OPERATIONS, SERVICE } from './operation-table.ts';
import { requestTarget } from './request-target.ts';
import { eventMessages } from './subscription-messages.ts';
import type { WireFormat } from './wire-format.ts';

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  /** Value of a header by its lower-case name. */
  header(name: string): string | undefined;
  /** Undefined when it was longer than the server reads. */
  readonly body: Buffer | undefined;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty where the answer is a stream of events. */
  readonly body: Buffer;
  /** The rest of the body, until it ends or `stop` aborts. */
  readonly events?: (stop: AbortSignal) => AsyncIterable<Buffer>;
}

export interface RequestHandling {
  readonly service: KinesisService;
  readonly faults: FaultInjector | undefined;
  /** Aborted when the server closes: requests that still wait are dropped without effect. */
  readonly closing: AbortSignal;
}

const NOTHING = Buffer.alloc(0);

/** Serves one request. Undefined when its connection must end without an answer. */
export async function handleRequest(
  handling: RequestHandling,
  request: ApiRequest,
): Promise<ApiResponse | undefined> {
  const target = requestTarget(request.path, (name) => request.header(name));
  const format = target?.format ?? jsonFormat;
  try {
    if (request.body === undefined) {
      throw new ApiError(
        'RequestEntityTooLargeException',
        'The request is longer than this server reads.',
        413,
      );
    }
    const known = target?.service === SERVICE ? OPERATIONS.get(target.operation) : undefined;
    if (request.method !== 'POST' || !target || !known) throw unknownOperation(target?.operation);
    if (!target.format) throw serializationFailed('The content type is none that this service reads.');
    const run = known.prepare(target.format.parse(request.body), target.format);
    countOne(handling.service.counters.requests, target.operation);
    return await serve(handling, target.operation, target.format, run);
  } catch (error) {
    return refuse(handling.service, format, asApiError(error, handling.service, target?.operation));
  }
}

function unknownOperation(name: string | undefined): ApiError {
  const message =
    name === undefined
      ? 'The request names no operation.'
      : `The local Kinesis has no operation ${name}. It has: ${[...OPERATIONS.keys()].join(', ')}.`;
  return new ApiError('UnknownOperationException', message);
}

/** Carries a request out between the faults that strike it. */
async function serve(
  { service, faults: injector, closing }: RequestHandling,
  operation: string,
  format: WireFormat,
  run: (service: KinesisService, faults?: RequestFaults) => Answer,
): Promise<ApiResponse | undefined> {
  const faults = injector?.decide('kinesis', operation);
  if (!faults) return answered(format, run(service), closing);
  const { counters, clock } = service;
  if (faults.delayMs > 0) {
    counters.faults.delayed += 1;
    await clock.sleep(faults.delayMs, closing).catch(() => undefined);
    if (closing.aborted) return undefined;
  }
  if (faults.refusal === 'throttle') {
    counters.faults.throttled += 1;
    throw throttled(operation);
  }
  if (faults.refusal === 'error') {
    counters.faults.failed += 1;
    throw internalFailure('Internal service failure.');
  }
  if (faults.iteratorExpired === true && operation === 'GetRecords') {
    counters.faults.iteratorsExpired += 1;
    throw new ApiError('ExpiredIteratorException', 'Iterator expired.');
  }
  if (!faults.answerLost) return answered(format, run(service, faults), closing);
  counters.faults.answersLost += 1;
  try {
    run(service, faults);
  } catch (error) {
    // A refusal is an answer too, and is lost as well.
    countOne(counters.refusals, asApiError(error, service, operation).code);
  }
  return undefined;
}

function throttled(operation: string): ApiError {
  return DATA_OPERATIONS.has(operation)
    ? new ApiError('ProvisionedThroughputExceededException', 'Rate exceeded.')
    : limitExceeded('Rate exceeded.');
}

function answered(format: WireFormat, answer: Answer, closing: AbortSignal): ApiResponse {
  switch (answer.kind) {
    case 'empty':
      return response(200, format, NOTHING, {});
    case 'members':
      return response(200, format, format.write(answer.members), {});
    case 'records':
      return response(200, format, format.writeRecords(answer.records), {});
    case 'events':
      return {
        status: 200,
        headers: { ...format.headers, ...requestHeaders(), 'content-type': EVENT_STREAM_CONTENT_TYPE },
        body: NOTHING,
        events: (stop) => eventMessages(format, answer.events(AbortSignal.any([stop, closing]))),
      };
  }
}

/** Unexpected errors are internal errors, and are logged with their stack. */
function asApiError(error: unknown, { logger }: KinesisService, operation: string | undefined): ApiError {
  if (error instanceof ApiError) return error;
  logger.error({ error, operation }, 'a Kinesis request failed');
  return internalFailure('Internal service failure.');
}

function refuse({ counters }: KinesisService, format: WireFormat, error: ApiError): ApiResponse {
  countOne(counters.refusals, error.code);
  const body = format.write({ __type: format.errorType(error.code), message: error.message });
  return response(error.status, format, body, { 'x-amzn-errortype': error.code });
}

function response(
  status: number,
  format: WireFormat,
  body: Buffer,
  headers: Readonly<Record<string, string>>,
): ApiResponse {
  return {
    status,
    headers: {
      ...format.headers,
      ...headers,
      ...requestHeaders(),
      ...(body.length > 0 ? { 'content-type': format.contentType } : {}),
      'content-length': String(body.length),
    },
    body,
  };
}

function requestHeaders(): Readonly<Record<string, string>> {
  const requestId = randomUUID();
  return { 'x-amzn-requestid': requestId, 'x-amz-id-2': Buffer.from(requestId).toString('base64') };
}
