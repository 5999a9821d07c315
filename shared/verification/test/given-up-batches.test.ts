import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { FAILED_BATCHES_PREFIX } from '@twinstream/pipeline-settings';
import { readGivenUpBatch, s3GivenUpBatches } from '@twinstream/verification';
import { afterEach, describe, expect, test, vi } from 'vitest';

afterEach(() => vi.restoreAllMocks());

const record = (sequenceNumber: unknown = '7', data: unknown = 'AA==') => ({
  kinesis: { sequenceNumber, data },
});
const document = (changed: Record<string, unknown> = {}) => ({
  requestContext: { functionArn: 'arn:aws:lambda:eu-west-1:000000000000:function:projector:3' },
  KinesisBatchInfo: { shardId: 'shardId-000000000001' },
  payload: JSON.stringify({ Records: [record('7'), record('8')] }),
  ...changed,
});
const read = (changed?: Record<string, unknown>) => readGivenUpBatch(JSON.stringify(document(changed)));
const payloadOf = (...records: readonly unknown[]) => ({ payload: JSON.stringify({ Records: records }) });

describe('the document of a batch that a mapping gave up', () => {
  const batch = {
    functionName: 'projector',
    shardId: 'shardId-000000000001',
    sequenceNumbers: ['7', '8'],
    payload: document().payload,
  };

  test('names the function, the shard and the records that it holds', () => {
    expect(read()).toEqual(batch);
    expect(read({ payload: { Records: [record('7'), record('8')] } })).toEqual(batch);
  });

  test.each([
    ['a function', { requestContext: {} }],
    ['a function that is a text', { requestContext: { functionArn: 1 } }],
    ['a context', { requestContext: null }],
    ['a shard', { KinesisBatchInfo: {} }],
    ['a shard that is a text', { KinesisBatchInfo: { shardId: 1 } }],
    ['a shard with the name of one', { KinesisBatchInfo: { shardId: 'a b' } }],
    ['records', { payload: '{}' }],
    ['records in a list', { payload: '{"Records":{"length":1}}' }],
    ['any record', payloadOf()],
    ['a payload that is JSON', { payload: '{' }],
    ['a sequence number in each record', payloadOf(record(), { kinesis: { data: 'AA==' } })],
    ['a sequence number that is a text', payloadOf(record(7))],
    ['a sequence number of digits', payloadOf(record('x'))],
    ['the data of each record', payloadOf(record(), record('8', null))],
  ])('is none without %s', (_, changed) => {
    expect(read(changed)).toBeUndefined();
  });

  test.each(['', 'null', '1', '"text"', 'no JSON'])('is none where the text is %j', (text) => {
    expect(readGivenUpBatch(text)).toBeUndefined();
  });
});

describe('given-up batches in S3', () => {
  const client = () =>
    new S3Client({ region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });

  test('are read one by one below their folder, without folders of the console, and an object that holds nothing', async () => {
    const s3 = client();
    const calls: unknown[] = [];
    vi.spyOn(s3, 'send').mockImplementation((command: unknown) => {
      if (command instanceof ListObjectsV2Command) {
        calls.push(command.input);
        const at = (name: string, Size: number) => ({ Key: `${FAILED_BATCHES_PREFIX}${name}`, Size });
        return { Contents: [at('', 0), at('a', 2), at('empty', 0), at('b/', 3)] };
      }
      if (!(command instanceof GetObjectCommand)) throw new TypeError('neither lists nor reads');
      const { Bucket, Key = '' } = command.input;
      calls.push(Bucket);
      return Key.endsWith('empty') ? {} : { Body: { transformToString: async () => `text of ${Key}` } };
    });
    const texts = await Array.fromAsync(s3GivenUpBatches(s3, 'bucket').texts());
    expect(texts).toEqual([
      { key: `${FAILED_BATCHES_PREFIX}a`, text: `text of ${FAILED_BATCHES_PREFIX}a` },
      { key: `${FAILED_BATCHES_PREFIX}empty`, text: '' },
      { key: `${FAILED_BATCHES_PREFIX}b/`, text: `text of ${FAILED_BATCHES_PREFIX}b/` },
    ]);
    expect(calls).toEqual([
      expect.objectContaining({ Bucket: 'bucket', Prefix: FAILED_BATCHES_PREFIX }),
      'bucket',
      'bucket',
      'bucket',
    ]);
  });

  test('are read under the signal of their reader', async () => {
    const s3 = client();
    const signals: unknown[] = [];
    vi.spyOn(s3, 'send').mockImplementation((command: unknown, options: unknown) => {
      signals.push((options as { abortSignal?: AbortSignal } | undefined)?.abortSignal);
      return command instanceof ListObjectsV2Command ? { Contents: [{ Key: 'a', Size: 1 }] } : {};
    });
    const { signal } = new AbortController();
    expect(await Array.fromAsync(s3GivenUpBatches(s3, 'bucket').texts(signal))).toEqual([
      { key: 'a', text: '' },
    ]);
    expect(signals).toEqual([signal, signal]);
  });

  test('are none where the bucket lists nothing', async () => {
    const s3 = client();
    vi.spyOn(s3, 'send').mockImplementation(() => ({}));
    expect(await Array.fromAsync(s3GivenUpBatches(s3, 'bucket').texts())).toEqual([]);
  });
});
