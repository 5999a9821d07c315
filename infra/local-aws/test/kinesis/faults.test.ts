import { KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import { describe, expect, it } from 'vitest';
import type { FaultRule } from '../../src/faults/fault-rule.ts';
import { createFaultInjector } from '../../src/faults/seeded-fault-injector.ts';
import type { KinesisServer } from '../../src/kinesis/index.ts';
import { base64, call, clientOf, post, readTexts, refusalOf, startServer } from './embedded-server.ts';

async function faultyServer(...rules: Omit<FaultRule, 'service'>[]) {
  const injector = createFaultInjector();
  const server = await startServer({ faults: injector });
  await call(server, 'CreateStream', { StreamName: 's', ShardCount: 1 });
  injector.replace(rules.map((rule) => ({ service: 'kinesis', ...rule })));
  return { server, injector };
}

const record = (text: string) => ({ StreamName: 's', PartitionKey: 'k', Data: base64(text) });

async function outcome(server: KinesisServer, text: string): Promise<string> {
  return refusalOf(server, 'PutRecord', record(text)).catch(() => 'no answer');
}

function stored(server: KinesisServer): string[] {
  return server.records('s').flatMap(({ records }) => records.map(({ data }) => data.toString()));
}

describe('injected faults', () => {
  it('throttle requests of one operation, which then have no effect, and leave the others alone', async () => {
    const { server, injector } = await faultyServer({
      kind: 'throttle',
      operation: 'PutRecord',
      rate: 1,
      count: 2,
    });
    expect(await outcome(server, '1')).toBe('ProvisionedThroughputExceededException');
    expect(await refusalOf(server, 'ListStreams', {})).toBe('it was not refused');
    expect(await outcome(server, '2')).toBe('ProvisionedThroughputExceededException');
    expect(await outcome(server, '3')).toBe('it was not refused');
    expect(stored(server)).toEqual(['3']);
    expect(injector.report()).toMatchObject([{ injected: 2 }]);
    expect(server.counters().faults.throttled).toBe(2);
  });

  it('throttle control operations as AWS does', async () => {
    const { server } = await faultyServer({ kind: 'throttle', rate: 1 });
    expect(await refusalOf(server, 'ListShards', { StreamName: 's' })).toBe('LimitExceededException');
  });

  it('fail requests inside the service without effect', async () => {
    const { server } = await faultyServer({ kind: 'error', operation: 'PutRecord', rate: 1, count: 1 });
    const { status, body } = await post(server, 'PutRecord', JSON.stringify(record('1')));
    expect(status).toBe(500);
    expect(JSON.parse(body.toString()).__type).toBe('InternalFailure');
    expect(stored(server)).toEqual([]);
    expect(server.counters().faults.failed).toBe(1);
  });

  it('refuse an iterator as expired, of which another reads the same', async () => {
    const { server } = await faultyServer({ kind: 'expired-iterator', rate: 1, count: 1 });
    await call(server, 'PutRecord', record('1'));
    const position = { StreamName: 's', ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' };
    const { ShardIterator } = await call(server, 'GetShardIterator', position);
    expect(await refusalOf(server, 'GetRecords', { ShardIterator })).toBe('ExpiredIteratorException');
    expect(await readTexts(server, 's')).toEqual([['1']]);
    expect(server.counters().faults.iteratorsExpired).toBe(1);
  });

  it('refuse single records by their rate, and store exactly the others', async () => {
    const { server, injector } = await faultyServer({
      kind: 'partial',
      operation: 'PutRecords',
      rate: 0.3,
      seed: 7,
    });
    const texts = Array.from({ length: 500 }, (_, index) => `${index}`);
    const answer = await call(server, 'PutRecords', {
      StreamName: 's',
      Records: texts.map((text) => ({ PartitionKey: 'k', Data: base64(text) })),
    });
    const failed = answer.Records.filter((result: object) => 'ErrorCode' in result);
    expect(answer.FailedRecordCount).toBe(failed.length);
    expect(failed.length).toBeGreaterThan(100);
    expect(failed.length).toBeLessThan(200);
    expect(new Set(failed.map(({ ErrorCode }: { ErrorCode: string }) => ErrorCode))).toEqual(
      new Set(['ProvisionedThroughputExceededException', 'InternalFailure']),
    );
    expect(stored(server)).toEqual(texts.filter((_, index) => !('ErrorCode' in answer.Records[index])));
    expect(injector.report()).toMatchObject([{ matched: 500, injected: failed.length }]);
    expect(server.counters()).toMatchObject({
      recordsAccepted: 500 - failed.length,
      faults: { recordsFailed: failed.length },
    });
  });

  it('are the same for the same seed and requests', async () => {
    const failures = async () => {
      const { server } = await faultyServer({ kind: 'partial', rate: 0.2, seed: 11 });
      const { Records } = await call(server, 'PutRecords', {
        StreamName: 's',
        Records: Array.from({ length: 100 }, () => ({ PartitionKey: 'k', Data: '' })),
      });
      return Records.map((result: object) => 'ErrorCode' in result);
    };
    const first = await failures();
    expect(first).toContain(true);
    expect(await failures()).toEqual(first);
  });

  it('refuse a PutRecord when its record is struck', async () => {
    const { server } = await faultyServer({ kind: 'partial', rate: 1, count: 1 });
    expect(['ProvisionedThroughputExceededException', 'InternalFailure']).toContain(
      await outcome(server, '1'),
    );
    expect(stored(server)).toEqual([]);
  });

  it('lose the answer of a request that took effect', async () => {
    const { server } = await faultyServer({ kind: 'lost-answer', operation: 'PutRecord', rate: 1, count: 1 });
    expect(await outcome(server, '1')).toBe('no answer');
    expect(await outcome(server, '2')).toBe('it was not refused');
    expect(await readTexts(server, 's')).toEqual([['1', '2']]);
    expect(server.counters().faults.answersLost).toBe(1);
  });

  it('lose the answer of a request that was refused', async () => {
    const { server } = await faultyServer({ kind: 'lost-answer', rate: 1, count: 1 });
    expect(await refusalOf(server, 'DescribeStream', { StreamName: 'absent' }).catch(() => 'no answer')).toBe(
      'no answer',
    );
    expect(server.counters().refusals).toEqual({ ResourceNotFoundException: 1 });
  });

  it('make an SDK put a record twice whose answer was lost, over HTTP/1.1 and over HTTP/2', async () => {
    const { server, injector } = await faultyServer();
    const http2 = new KinesisClient({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 2,
    });
    try {
      for (const client of [clientOf(server, { maxAttempts: 2 }), http2]) {
        injector.replace([{ service: 'kinesis', kind: 'lost-answer', rate: 1, count: 1 }]);
        const put = new PutRecordCommand({ StreamName: 's', PartitionKey: 'k', Data: Buffer.from('twice') });
        const { $metadata } = await client.send(put);
        expect($metadata.attempts).toBe(2);
      }
    } finally {
      http2.destroy();
    }
    expect(stored(server)).toEqual(['twice', 'twice', 'twice', 'twice']);
  });

  it('delay a request, which takes effect at the end of the delay', async () => {
    const { server } = await faultyServer({
      kind: 'delay',
      operation: 'PutRecord',
      rate: 1,
      count: 1,
      delayMs: 150,
    });
    const start = performance.now();
    const delayed = outcome(server, 'delayed');
    await expect.poll(() => server.counters().faults.delayed).toBe(1);
    expect(await outcome(server, 'prompt')).toBe('it was not refused');
    expect(stored(server)).toEqual(['prompt']);
    expect(await delayed).toBe('it was not refused');
    expect(performance.now() - start).toBeGreaterThanOrEqual(145);
    expect(stored(server)).toEqual(['prompt', 'delayed']);
  });

  it('do not keep the server from closing: a request still delayed has no effect', async () => {
    const { server } = await faultyServer({
      kind: 'delay',
      operation: 'PutRecord',
      rate: 1,
      delayMs: 60_000,
    });
    const delayed = outcome(server, 'never');
    await expect.poll(() => server.counters().faults.delayed).toBe(1);
    await server.close();
    expect(await delayed).toBe('no answer');
    expect(server.counters().recordsAccepted).toBe(0);
  });
});
