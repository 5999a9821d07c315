import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type LambdaClient,
  ListEventSourceMappingsCommand,
  ListFunctionsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { lambdaClient } from '@twinstream/aws/lambda';
import { LOCAL_MAPPING_SETTINGS } from '@twinstream/pipeline-settings';
import { createLogger } from '@twinstream/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFaultInjector } from '../../src/faults/seeded-fault-injector.ts';
import type { LoopbackServer } from '../../src/http/loopback-server.ts';
import { startFunctionServer } from '../../src/lambda/function-server.ts';
import { type Lambda, type LambdaOptions, startLambda } from '../../src/lambda/lambda.ts';

const local = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
const STREAM_ARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/device-events';
const BUY = '{"data": {"type": ["buy"]}}';
const declaration = {
  functionName: 'recorder',
  streamName: 'device-events',
  settings: LOCAL_MAPPING_SETTINGS,
};

let kinesis: Server;
let recorder: LoopbackServer;
let lambda: Lambda;
let client: LambdaClient;
let dataDir = '';
let seenFile = '';
const injector = createFaultInjector();

/** Answers every operation with a stream that has no shards, unless it is named `absent`: this suite is about the API. */
async function emptyKinesis(): Promise<Server> {
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const isAbsent = body.includes('"absent"');
    response.statusCode = isAbsent ? 400 : 200;
    response.end(JSON.stringify(isAbsent ? { __type: 'ResourceNotFoundException' } : { Shards: [] }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const start = (options: Partial<LambdaOptions> = {}) => {
  const address = kinesis.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return startLambda({
    kinesis: `http://127.0.0.1:${port}`,
    s3Url: 'http://127.0.0.1:9',
    functions: { recorder: recorder.url, another: undefined },
    mappings: [],
    dataDir,
    injector,
    logger: createLogger('test', 'silent'),
    ...options,
  });
};
const connect = ({ url }: Lambda) => lambdaClient({ ...local, endpoint: url, maxAttempts: 1 });

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'lambda-'));
  seenFile = join(dataDir, 'seen.ndjson');
  vi.stubEnv('RECORDER_FILE', seenFile);
  kinesis = await emptyKinesis();
  recorder = await startFunctionServer({
    functionName: 'recorder',
    moduleUrl: new URL('./functions/recorder.ts', import.meta.url).href,
    handler: 'handler',
    timeoutMs: 5_000,
    concurrency: 2,
    assignment: 'sticky',
    port: 0,
    onError: () => undefined,
  });
  lambda = await start();
  client = connect(lambda);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  injector.replace([]);
  client.destroy();
  await lambda.close();
  await recorder.close();
  kinesis.closeAllConnections();
  kinesis.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const create = (input: Partial<CreateEventSourceMappingCommandInput> = {}) =>
  client.send(
    new CreateEventSourceMappingCommand({
      FunctionName: 'recorder',
      EventSourceArn: STREAM_ARN,
      StartingPosition: 'LATEST',
      ...input,
    }),
  );
const stateOf = async (UUID: string | undefined) =>
  (await client.send(new GetEventSourceMappingCommand({ UUID }))).State;

describe('CreateEventSourceMapping', () => {
  it('refuses a stream that does not exist', async () => {
    const EventSourceArn = STREAM_ARN.replace('device-events', 'absent');
    await expect(create({ EventSourceArn })).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: `Stream not found: ${EventSourceArn}`,
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('answers what AWS was recorded to answer, with its defaults', async () => {
    const { $metadata, UUID, LastModified, ...rest } = await create();
    expect($metadata.httpStatusCode).toBe(202);
    expect(UUID).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    expect(LastModified?.getTime()).toBeGreaterThan(Date.now() - 10_000);
    expect(rest).toEqual({
      BatchSize: 100,
      BisectBatchOnFunctionError: false,
      DestinationConfig: { OnFailure: {} },
      EventSourceArn: STREAM_ARN,
      EventSourceMappingArn: `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${UUID}`,
      FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:recorder',
      FunctionResponseTypes: [],
      LastProcessingResult: 'No records processed',
      MaximumBatchingWindowInSeconds: 0,
      MaximumRecordAgeInSeconds: -1,
      MaximumRetryAttempts: -1,
      ParallelizationFactor: 1,
      StartingPosition: 'LATEST',
      State: 'Creating',
      StateTransitionReason: 'User action',
      TumblingWindowInSeconds: 0,
    });
    await vi.waitFor(async () => expect(await stateOf(UUID)).toBe('Enabled'));
  });

  it('takes every setting of a Kinesis mapping', async () => {
    const created = await create({
      StartingPosition: 'AT_TIMESTAMP',
      StartingPositionTimestamp: new Date(1_700_000_000_000),
      BatchSize: 10_000,
      MaximumBatchingWindowInSeconds: 300,
      ParallelizationFactor: 10,
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 10_000,
      MaximumRecordAgeInSeconds: 604_800,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::twinstream-archive' } },
      Enabled: false,
    });
    const { UUID } = created;
    await vi.waitFor(async () => expect(await stateOf(UUID)).toBe('Disabled'));
    expect(await client.send(new GetEventSourceMappingCommand({ UUID }))).toMatchObject({
      StartingPosition: 'AT_TIMESTAMP',
      StartingPositionTimestamp: new Date(1_700_000_000_000),
      BatchSize: 10_000,
      MaximumBatchingWindowInSeconds: 300,
      ParallelizationFactor: 10,
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 10_000,
      MaximumRecordAgeInSeconds: 604_800,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::twinstream-archive' } },
    });
  });

  it('keeps up to five filters, changes them, and removes them by an empty FilterCriteria', async () => {
    const FilterCriteria = { Filters: Array.from({ length: 5 }, () => ({ Pattern: BUY })) };
    const { UUID } = await create({ FilterCriteria });
    await vi.waitFor(async () => expect(await stateOf(UUID)).toBe('Enabled'));
    const shown = async () => (await client.send(new GetEventSourceMappingCommand({ UUID }))).FilterCriteria;
    expect(await shown()).toEqual(FilterCriteria);
    await client.send(new UpdateEventSourceMappingCommand({ UUID, BatchSize: 5 }));
    await vi.waitFor(async () => expect(await stateOf(UUID)).toBe('Enabled'));
    expect(await shown()).toEqual(FilterCriteria);
    await client.send(new UpdateEventSourceMappingCommand({ UUID, FilterCriteria: {} }));
    await vi.waitFor(async () => expect(await stateOf(UUID)).toBe('Enabled'));
    expect(await shown()).toBeUndefined();
  });

  it('takes a queue where an SQS is there, and keeps it and the filter across a restart', async () => {
    const restartWith = async (options: Partial<LambdaOptions>) => {
      client.destroy();
      await lambda.close();
      lambda = await start(options);
      client = connect(lambda);
    };
    await restartWith({ sqsUrl: 'http://127.0.0.1:9' });
    const given = {
      DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:us-east-1:000000000000:given-up' } },
      FilterCriteria: { Filters: [{ Pattern: BUY }] },
    };
    const { UUID } = await create(given);
    await restartWith({ sqsUrl: 'http://127.0.0.1:9' });
    expect(await client.send(new GetEventSourceMappingCommand({ UUID }))).toMatchObject(given);
    const bucket = { OnFailure: { Destination: 'arn:aws:s3:::twinstream-archive' } };
    await client.send(new UpdateEventSourceMappingCommand({ UUID, DestinationConfig: bucket }));
    expect(await client.send(new GetEventSourceMappingCommand({ UUID }))).toMatchObject({
      DestinationConfig: bucket,
    });
  });

  it('refuses a second mapping of the same function and stream, naming the first', async () => {
    const { UUID } = await create();
    await expect(create()).rejects.toMatchObject({
      name: 'ResourceConflictException',
      message: expect.stringContaining(`existing mapping with UUID ${UUID}`),
      $metadata: { httpStatusCode: 409 },
    });
    await expect(create({ FunctionName: 'another' })).resolves.toMatchObject({ State: 'Creating' });
  });

  it.each([
    ['BatchSize', { BatchSize: 10_001 }],
    ['BatchSize', { BatchSize: 0 }],
    ['MaximumBatchingWindowInSeconds', { MaximumBatchingWindowInSeconds: 301 }],
    ['ParallelizationFactor', { ParallelizationFactor: 11 }],
    ['MaximumRetryAttempts', { MaximumRetryAttempts: -2 }],
    ['MaximumRecordAgeInSeconds', { MaximumRecordAgeInSeconds: 59 }],
    ['StartingPositionTimestamp', { StartingPosition: 'AT_TIMESTAMP' as const }],
    ['EventSourceArn', { EventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:queue' }],
    ['DestinationConfig', { DestinationConfig: { OnFailure: { Destination: 'arn:aws:sns:us-east-1:0:t' } } }],
    [
      'DestinationConfig',
      { DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:us-east-1:0:q.fifo' } } },
    ],
    ['without an SQS', { DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:us-east-1:0:q' } } }],
    ['Invalid filter pattern definition.', { FilterCriteria: { Filters: [{ Pattern: '{}' }] } }],
    ['not on partitionKey', { FilterCriteria: { Filters: [{ Pattern: '{"partitionKey": ["1"]}' }] } }],
    [
      'FilterCriteria',
      { FilterCriteria: { Filters: [{ Pattern: `{"data": {"a": ["${'x'.repeat(4_096)}"]}}` }] } },
    ],
    ['FilterCriteria', { FilterCriteria: { Filters: Array.from({ length: 6 }, () => ({ Pattern: BUY })) } }],
    ['TumblingWindowInSeconds', { TumblingWindowInSeconds: 30 }],
  ])('refuses a wrong %s, naming it', async (field, input) => {
    await expect(create(input)).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: expect.stringContaining(field),
    });
  });

  it('refuses a function that is not there', async () => {
    await expect(create({ FunctionName: 'nobody' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});

describe('UpdateEventSourceMapping', () => {
  it('disables and enables, with the states in between', async () => {
    const { UUID } = await create();
    await vi.waitFor(async () => expect(await stateOf(UUID)).toBe('Enabled'));
    const disabling = await client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    expect(disabling).toMatchObject({ State: 'Disabling', $metadata: { httpStatusCode: 202 } });
    await vi.waitFor(async () => expect(await stateOf(UUID)).toBe('Disabled'));
    const enabling = await client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));
    expect(enabling.State).toBe('Enabling');
    await vi.waitFor(async () => expect(await stateOf(UUID)).toBe('Enabled'));
  });

  it('changes what it names and leaves the rest; an empty destination removes it', async () => {
    const { UUID } = await create({
      BatchSize: 7,
      MaximumRetryAttempts: 3,
      DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::twinstream-archive' } },
    });
    await client.send(
      new UpdateEventSourceMappingCommand({
        UUID,
        MaximumRetryAttempts: 5,
        DestinationConfig: { OnFailure: { Destination: '' } },
      }),
    );
    await vi.waitFor(async () => expect(await stateOf(UUID)).toBe('Enabled'));
    expect(await client.send(new GetEventSourceMappingCommand({ UUID }))).toMatchObject({
      BatchSize: 7,
      MaximumRetryAttempts: 5,
      DestinationConfig: { OnFailure: {} },
    });
  });

  it('is refused for a mapping that is not there', async () => {
    const UUID = '00000000-0000-4000-8000-000000000000';
    await expect(
      client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false })),
    ).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'The resource you requested does not exist.',
    });
  });
});

describe('ListEventSourceMappings', () => {
  it('filters by function and stream, and pages', async () => {
    const mine = await create();
    const other = await create({ FunctionName: 'another' });
    const list = async (input: object) => {
      const { EventSourceMappings = [], NextMarker } = await client.send(
        new ListEventSourceMappingsCommand(input),
      );
      return { ids: EventSourceMappings.map(({ UUID }) => UUID), NextMarker };
    };
    expect((await list({})).ids.sort()).toEqual([mine.UUID, other.UUID].sort());
    expect((await list({ FunctionName: 'recorder' })).ids).toEqual([mine.UUID]);
    expect((await list({ FunctionName: mine.FunctionArn })).ids).toEqual([mine.UUID]);
    expect((await list({ EventSourceArn: `${STREAM_ARN}-2` })).ids).toEqual([]);
    const first = await list({ MaxItems: 1 });
    expect(first.ids).toHaveLength(1);
    const second = await list({ MaxItems: 1, Marker: first.NextMarker });
    expect(second.NextMarker).toBeUndefined();
    expect([...first.ids, ...second.ids].sort()).toEqual([mine.UUID, other.UUID].sort());
  });
});

describe('DeleteEventSourceMapping', () => {
  it('removes the mapping, and a new one begins at its starting position', async () => {
    const { UUID } = await create();
    expect(await client.send(new DeleteEventSourceMappingCommand({ UUID }))).toMatchObject({
      State: 'Deleting',
    });
    await vi.waitFor(() =>
      expect(stateOf(UUID)).rejects.toMatchObject({ name: 'ResourceNotFoundException' }),
    );
    await expect(create()).resolves.toMatchObject({ State: 'Creating' });
  });
});

describe('a restart', () => {
  const restart = async (options: Partial<LambdaOptions> = {}) => {
    client.destroy();
    await lambda.close();
    lambda = await start(options);
    client = connect(lambda);
  };

  it('keeps mappings, their settings and whether they are enabled', async () => {
    const { UUID } = await create({ BatchSize: 42 });
    await client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    await restart();
    expect(await client.send(new GetEventSourceMappingCommand({ UUID }))).toMatchObject({
      BatchSize: 42,
      State: 'Disabled',
    });
  });

  it('sets up declared mappings once, with the settings declared last, and leaves a disabled one disabled', async () => {
    await restart({ mappings: [declaration] });
    const [first, ...others] = lambda.status();
    expect(others).toEqual([]);
    expect(first).toMatchObject({ functionName: 'recorder', streamName: 'device-events', state: 'Enabled' });
    const UUID = first?.mappingId;
    expect(await client.send(new GetEventSourceMappingCommand({ UUID }))).toMatchObject({
      BatchSize: 10_000,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BisectBatchOnFunctionError: true,
      StartingPosition: 'TRIM_HORIZON',
      MaximumRetryAttempts: -1,
      MaximumRecordAgeInSeconds: 6 * 86_400,
    });
    await client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false, BatchSize: 5 }));
    await restart({ mappings: [{ ...declaration, settings: { ...LOCAL_MAPPING_SETTINGS, batchSize: 77 } }] });
    expect(await client.send(new GetEventSourceMappingCommand({ UUID }))).toMatchObject({
      BatchSize: 77,
      State: 'Disabled',
    });
  });
});

describe('Invoke', () => {
  const invoke = (payload: unknown, FunctionName = 'recorder') =>
    client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload) }));
  const text = (bytes: Uint8Array | undefined) => JSON.parse(Buffer.from(bytes ?? '').toString('utf8'));

  it('runs the function and answers its result', async () => {
    const answer = await invoke({ value: 'ü' });
    expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST' });
    expect(answer.FunctionError).toBeUndefined();
    expect(text(answer.Payload)).toMatchObject({ value: 'ü' });
  });

  it('answers errors of the function as such', async () => {
    const answer = await invoke({ action: 'throw' });
    expect(answer).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(text(answer.Payload)).toMatchObject({ errorType: 'RangeError', errorMessage: 'as asked' });
  });

  it('is refused for an unknown function, and for one without a host', async () => {
    await expect(invoke({}, 'nobody')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(invoke({}, 'another')).rejects.toMatchObject({ name: 'TooManyRequestsException' });
    const dry = await client.send(new InvokeCommand({ FunctionName: 'recorder', InvocationType: 'DryRun' }));
    expect(dry.StatusCode).toBe(204);
  });

  it('accepts an event with 202 and nothing else, also while the function is down, and runs it afterwards', async () => {
    const send = (event: unknown, FunctionName = 'recorder') =>
      client.send(
        new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload: JSON.stringify(event) }),
      );
    const event = {
      Records: [{ eventID: 'shard:1', kinesis: { data: Buffer.from('ran').toString('base64') } }],
    };
    lambda.setFunction('recorder', undefined);
    const accepted = await send(event);
    expect(accepted.StatusCode).toBe(202);
    expect(accepted.Payload?.length ?? 0).toBe(0);
    lambda.setFunction('recorder', recorder.url);
    await vi.waitFor(() => expect(readFileSync(seenFile, 'utf8')).toContain('"ran"'), { timeout: 5_000 });
    await expect(send({}, 'nobody')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(send('x'.repeat(1_048_576))).rejects.toMatchObject({ name: 'RequestTooLargeException' });
    const broken = new InvokeCommand({ FunctionName: 'recorder', InvocationType: 'Event', Payload: '{' });
    await expect(client.send(broken)).rejects.toMatchObject({ name: 'InvalidRequestContentException' });
  });

  it('finds a function at its new address', async () => {
    lambda.setFunction('another', recorder.url);
    await expect(invoke({}, 'another')).rejects.toMatchObject({ name: 'TooManyRequestsException' });
    lambda.setFunction('recorder', undefined);
    await expect(invoke({})).rejects.toMatchObject({ name: 'TooManyRequestsException' });
    lambda.setFunction('recorder', recorder.url);
    await expect(invoke({})).resolves.toMatchObject({ StatusCode: 200 });
  });

  it('suffers the faults of service lambda', async () => {
    injector.replace([{ service: 'lambda', operation: 'Invoke', kind: 'throttle', rate: 1 }]);
    await expect(invoke({})).rejects.toMatchObject({ name: 'TooManyRequestsException' });
    injector.replace([{ service: 'lambda', kind: 'error', rate: 1 }]);
    expect(await invoke({})).toMatchObject({ FunctionError: 'Unhandled' });
    injector.replace([{ service: 'lambda', kind: 'lost-answer', rate: 1 }]);
    const before = text((await invoke({})).Payload);
    expect(before).toMatchObject({ errorType: 'Runtime.ExitError' });
    injector.replace([]);
    // The lost one ran; the refused and failed ones did not.
    expect(text((await invoke({})).Payload)).toMatchObject({ invocations: 2 });
  });
});

describe('ListFunctions and GetFunction', () => {
  const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:recorder';

  it('show the functions with what is known of them, those whose host is down as pending', async () => {
    const { Functions } = await client.send(new ListFunctionsCommand({}));
    expect(Functions).toEqual([
      {
        FunctionName: 'another',
        FunctionArn: ARN.replace('recorder', 'another'),
        Role: 'arn:aws:iam::000000000000:role/another',
        Version: '$LATEST',
        State: 'Pending',
        StateReason: 'The host of the function is not up.',
      },
      {
        FunctionName: 'recorder',
        FunctionArn: ARN,
        Role: 'arn:aws:iam::000000000000:role/recorder',
        Version: '$LATEST',
        State: 'Active',
      },
    ]);
    for (const FunctionName of ['recorder', ARN]) {
      const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName }));
      expect(Configuration).toEqual(Functions?.[1]);
      const configuration = await client.send(new GetFunctionConfigurationCommand({ FunctionName }));
      expect(configuration).toMatchObject({ FunctionArn: ARN, State: 'Active' });
    }
  });

  it('page by MaxItems', async () => {
    const first = await client.send(new ListFunctionsCommand({ MaxItems: 1 }));
    const second = await client.send(new ListFunctionsCommand({ MaxItems: 1, Marker: first.NextMarker }));
    const names = [first, second].map(({ Functions }) => Functions?.map(({ FunctionName }) => FunctionName));
    expect([...names, second.NextMarker]).toEqual([['another'], ['recorder'], undefined]);
  });

  it('are refused for a function that is not there', async () => {
    await expect(client.send(new GetFunctionCommand({ FunctionName: 'nobody' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Function not found: ${ARN.replace('recorder', 'nobody')}`,
      $metadata: { httpStatusCode: 404 },
    });
  });
});
