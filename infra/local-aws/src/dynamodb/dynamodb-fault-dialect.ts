import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { crc32 } from 'node:zlib';
import type { FaultDialect, Refusal, TakenOut } from '../faults/fault-proxy.ts';

// Error names, status codes and texts: "Error handling with DynamoDB", developer guide, read 2026-11.
const NAMESPACE = 'com.amazonaws.dynamodb.v20120810';
const CONTROL_PLANE = /^(?:Create|Delete|Update|Describe|List|Tag|Untag)(?!Item)/;
const THROUGHPUT_EXCEEDED =
  'The level of configured provisioned throughput for the table was exceeded. ' +
  'Consider increasing your provisioning level with the UpdateTable API.';

/** Faults in the shapes of DynamoDB. Reads and writes throttle by throughput, table operations by rate. */
export const DYNAMODB_DIALECT: FaultDialect = {
  service: 'dynamodb',
  operation: operationOf,
  refuse: (refusal, operation) => {
    if (refusal === 'error') return errorOf(500, 'InternalServerError', 'Internal server error');
    return CONTROL_PLANE.test(operation)
      ? errorOf(400, 'ThrottlingException', 'Rate of requests exceeds the allowed throughput.')
      : errorOf(400, 'ProvisionedThroughputExceededException', THROUGHPUT_EXCEEDED);
  },
  takeOut: (operation, body, fails) =>
    operation === 'BatchExecuteStatement' ? takeStatementsOut(body, fails) : undefined,
};

interface StatementsBody {
  readonly Statements?: readonly object[];
}

interface StatementsAnswer {
  readonly Responses?: readonly object[];
}

/** Throttles single statements of a batch. The engine carries out the others, and its answers keep their places. */
function takeStatementsOut(body: Buffer, fails: () => boolean): TakenOut | undefined {
  const request: StatementsBody = JSON.parse(body.toString('utf8'));
  const { Statements: statements = [] } = request;
  const failing = statements.map(() => fails());
  if (!failing.includes(true)) return undefined;
  const left = statements.filter((_, index) => !failing[index]);
  return {
    body: left.length === 0 ? undefined : Buffer.from(JSON.stringify({ ...request, Statements: left })),
    answer: (engineBody) => {
      const engine: StatementsAnswer =
        engineBody === undefined ? {} : JSON.parse(engineBody.toString('utf8'));
      const answers = [...(engine.Responses ?? [])];
      const throttled = { Error: { Code: 'ProvisionedThroughputExceeded', Message: THROUGHPUT_EXCEEDED } };
      const Responses = failing.map((isFailing) => (isFailing ? throttled : (answers.shift() ?? {})));
      return documentOf(200, { ...engine, Responses });
    },
  };
}

/** From `X-Amz-Target: DynamoDB_20120810.PutItem`. */
function operationOf(request: IncomingMessage): string {
  const target = request.headers['x-amz-target'];
  return typeof target === 'string' ? target.slice(target.indexOf('.') + 1) : 'Unknown';
}

function errorOf(status: number, name: string, message: string): Refusal {
  return documentOf(status, { __type: `${NAMESPACE}#${name}`, message });
}

function documentOf(status: number, document: object): Refusal {
  const body = JSON.stringify(document);
  return {
    status,
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-requestid': randomUUID(),
      'x-amz-crc32': String(crc32(body)),
    },
    body,
  };
}
