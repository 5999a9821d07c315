import { CodedError } from '@twinstream/runtime';
import { describe, expect, test } from 'vitest';
import {
  type CallAnswer,
  createRequestBatcher,
  type RequestBatcherLimits,
} from '../src/dynamodb/request-batcher.ts';

interface Sent {
  readonly calls: readonly string[];
  readonly signal: AbortSignal;
  answer(answers: readonly CallAnswer<string>[]): void;
  fail(error: unknown): void;
}

const decided = (outcome: string): CallAnswer<string> => ({ kind: 'decided', outcome });
const throttled: CallAnswer<string> = {
  kind: 'try-again',
  error: new CodedError('DYNAMODB_THROTTLED', 'too fast', { retryable: true }),
};

/** A batcher whose requests, turns and waits the test decides. A write is `item` or `item:bytes`. */
function fixture(limits: Partial<RequestBatcherLimits> = {}) {
  const requests: Sent[] = [];
  const scheduled: { callback: () => void; ms: number }[] = [];
  const slept: number[] = [];
  const batcher = createRequestBatcher<string, string>({
    send: (writes, signal) =>
      new Promise((answer, fail) => {
        requests.push({ calls: writes, signal, answer, fail });
        signal.addEventListener('abort', () => fail(signal.reason));
      }),
    itemOf: (write) => write.split(':')[0] ?? '',
    bytesOf: (write) => Number(write.split(':')[1] ?? 1),
    limits,
    clock: {
      sleep: async (ms) => {
        slept.push(ms);
      },
    },
    random: () => 0.5,
    schedule: (callback, ms) => {
      const entry = { callback, ms };
      scheduled.push(entry);
      return () => void scheduled.splice(scheduled.indexOf(entry), 1);
    },
  });
  /** Lets what is due now, or within `ms`, happen. */
  const pass = async (ms = 0) => {
    for (const entry of [...scheduled]) {
      if (entry.ms > ms) continue;
      scheduled.splice(scheduled.indexOf(entry), 1);
      entry.callback();
    }
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  const request = (index: number): Sent => {
    const sent = requests[index];
    if (sent === undefined) throw new Error(`no request ${index}; there are ${requests.length}`);
    return sent;
  };
  return { batcher, requests, request, pass, scheduled, slept };
}

describe('gathering', () => {
  test('writes of one turn share a request, and each learns its own outcome', async () => {
    const { batcher, request, pass } = fixture();
    const outcomes = Promise.all([batcher.call('a'), batcher.call('b'), batcher.call('c')]);
    await pass();
    expect(request(0).calls).toEqual(['a', 'b', 'c']);
    request(0).answer([decided('written'), decided('exists'), decided('written')]);
    expect(await outcomes).toEqual(['written', 'exists', 'written']);
  });

  test('a full batch goes without waiting', () => {
    const { batcher, requests, request } = fixture({ callsMax: 2 });
    for (const item of ['a', 'b', 'c']) void batcher.call(item);
    expect(requests).toHaveLength(1);
    expect(request(0).calls).toEqual(['a', 'b']);
  });

  test('a batch ends before the write that would make it too large, and a larger one goes alone', async () => {
    const { batcher, request, pass } = fixture({ bytesMax: 10 });
    for (const item of ['a:6', 'b:6', 'c:40', 'd:1']) void batcher.call(item);
    await pass(2);
    expect([0, 1, 2, 3].map((index) => request(index).calls)).toEqual([['a:6'], ['b:6'], ['c:40'], ['d:1']]);
  });

  test('two writes of one item never share a request', async () => {
    const { batcher, request, pass } = fixture();
    for (const item of ['a:1', 'b:1', 'a:2']) void batcher.call(item);
    await pass();
    await pass(2);
    expect([request(0).calls, request(1).calls]).toEqual([['a:1', 'b:1'], ['a:2']]);
  });

  test('a write that finds no request under way waits for its turn alone', () => {
    const { batcher, scheduled } = fixture({ lingerMs: 7 });
    void batcher.call('a');
    expect(scheduled.map(({ ms }) => ms)).toEqual([0]);
  });

  test('while a request is under way a write lingers, and goes when that request ends', async () => {
    const { batcher, requests, request, pass, scheduled } = fixture({ lingerMs: 7 });
    const first = batcher.call('a');
    await pass();
    void batcher.call('b');
    expect(scheduled.map(({ ms }) => ms)).toEqual([7]);
    await pass();
    expect(requests).toHaveLength(1);
    request(0).answer([decided('written')]);
    await first;
    await pass();
    expect(request(1).calls).toEqual(['b']);
  });
});

describe('failures', () => {
  test('a throttled write is sent again alone, with full jitter, and its neighbours are done', async () => {
    const { batcher, request, pass, slept } = fixture({ backoffBaseMs: 50 });
    const [a, b] = [batcher.call('a'), batcher.call('b')];
    await pass();
    request(0).answer([throttled, decided('written')]);
    expect(await b).toBe('written');
    await pass();
    expect(slept).toEqual([25]);
    expect(request(1).calls).toEqual(['a']);
    request(1).answer([decided('written')]);
    expect(await a).toBe('written');
  });

  test('a write that stays throttled rejects with the error of its last try', async () => {
    const { batcher, requests, request, pass } = fixture({ triesMax: 2 });
    const write = batcher.call('a');
    const failed = expect(write).rejects.toMatchObject({ code: 'DYNAMODB_THROTTLED', retryable: true });
    await pass();
    request(0).answer([throttled]);
    await pass();
    await pass();
    request(1).answer([throttled]);
    await failed;
    expect(requests).toHaveLength(2);
  });

  test('a refused write rejects immediately, its neighbours do not', async () => {
    const { batcher, request, pass } = fixture();
    const [a, b] = [batcher.call('a'), batcher.call('b')];
    await pass();
    request(0).answer([
      { kind: 'refused', error: new CodedError('DYNAMODB_REFUSED', 'no table') },
      decided('written'),
    ]);
    await expect(a).rejects.toMatchObject({ code: 'DYNAMODB_REFUSED' });
    expect(await b).toBe('written');
  });

  test('a request that fails whole rejects every write of it', async () => {
    const { batcher, request, pass } = fixture();
    const writes = [batcher.call('a'), batcher.call('b')];
    const settled = Promise.allSettled(writes);
    await pass();
    request(0).fail(new Error('connection reset'));
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  test('an answer of another length than the request settles nothing as done', async () => {
    const { batcher, request, pass } = fixture();
    const settled = Promise.allSettled([batcher.call('a'), batcher.call('b')]);
    await pass();
    request(0).answer([decided('written')]);
    expect(await settled).toMatchObject([
      { status: 'rejected', reason: { code: 'BATCH_ANSWER_DAMAGED' } },
      { status: 'rejected', reason: { code: 'BATCH_ANSWER_DAMAGED' } },
    ]);
  });
});

describe('aborts', () => {
  test('a write that is aborted while it waits is not sent', async () => {
    const { batcher, request, pass } = fixture();
    const stop = new AbortController();
    const aborted = expect(batcher.call('a', stop.signal)).rejects.toThrow('enough');
    const other = batcher.call('b');
    stop.abort(new Error('enough'));
    await pass();
    await aborted;
    expect(request(0).calls).toEqual(['b']);
    request(0).answer([decided('written')]);
    expect(await other).toBe('written');
  });

  test('a request is aborted when all its writes are, and not before', async () => {
    const { batcher, request, pass } = fixture();
    const [one, two] = [new AbortController(), new AbortController()];
    const settled = Promise.allSettled([batcher.call('a', one.signal), batcher.call('b', two.signal)]);
    await pass();
    one.abort(new Error('first'));
    expect(request(0).signal.aborted).toBe(false);
    two.abort(new Error('second'));
    expect(request(0).signal.aborted).toBe(true);
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  test('an aborted write does not come back after a throttle', async () => {
    const { batcher, requests, request, pass } = fixture();
    const stop = new AbortController();
    const aborted = expect(batcher.call('a', stop.signal)).rejects.toThrow('enough');
    await pass();
    stop.signal.addEventListener('abort', () => undefined);
    request(0).answer([throttled]);
    stop.abort(new Error('enough'));
    await pass();
    await aborted;
    expect(requests).toHaveLength(1);
  });
});
