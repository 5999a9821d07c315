import { describe, expect, it } from 'vitest';
import type { FaultInjector, FaultRule } from '../../src/faults/fault-rule.ts';
import { createFaultInjector } from '../../src/faults/seeded-fault-injector.ts';

const throttle: FaultRule = {
  service: 'kinesis',
  operation: 'PutRecords',
  kind: 'throttle',
  rate: 0.3,
  seed: 42,
};
const refusals = (injector: FaultInjector, count: number) =>
  Array.from({ length: count }, () => injector.decide('kinesis', 'PutRecords')?.refusal);

describe('faults', () => {
  it('are the same for the same seed and requests, and others for another seed', () => {
    const first = refusals(createFaultInjector([throttle]), 200);
    expect(refusals(createFaultInjector([throttle]), 200)).toEqual(first);
    expect(refusals(createFaultInjector([{ ...throttle, seed: 43 }]), 200)).not.toEqual(first);
  });

  it('strike about the share of requests that the rate says', () => {
    const struck = refusals(createFaultInjector([throttle]), 10_000).filter(
      (refusal) => refusal !== undefined,
    );
    expect(struck.length).toBeGreaterThan(2_850);
    expect(struck.length).toBeLessThan(3_150);
  });

  it('strike always at rate 1 and never at rate 0', () => {
    expect(new Set(refusals(createFaultInjector([{ ...throttle, rate: 1 }]), 100))).toEqual(
      new Set(['throttle']),
    );
    expect(new Set(refusals(createFaultInjector([{ ...throttle, rate: 0 }]), 100))).toEqual(
      new Set([undefined]),
    );
  });

  it('leave other services and operations alone', () => {
    const injector = createFaultInjector([{ ...throttle, rate: 1 }]);
    expect(injector.decide('kinesis', 'GetRecords')).toBeUndefined();
    expect(injector.decide('firehose', 'PutRecords')).toBeUndefined();
  });

  it('strike every operation of a service when none is named', () => {
    const injector = createFaultInjector([{ service: 'dynamodb', kind: 'error', rate: 1 }]);
    expect(injector.decide('dynamodb', 'PutItem')?.refusal).toBe('error');
    expect(injector.decide('dynamodb', 'Query')?.refusal).toBe('error');
  });

  it('end when the count is spent', () => {
    const injector = createFaultInjector([{ ...throttle, rate: 1, count: 3 }]);
    expect(refusals(injector, 10).filter((refusal) => refusal !== undefined)).toHaveLength(3);
    expect(injector.report()).toEqual([{ ...throttle, rate: 1, count: 3, matched: 3, injected: 3 }]);
  });

  it('count only those that take effect: a request that is refused loses no answer too', () => {
    const injector = createFaultInjector([
      { service: 'kinesis', kind: 'throttle', rate: 1 },
      { service: 'kinesis', kind: 'error', rate: 1 },
      { service: 'kinesis', kind: 'lost-answer', rate: 1 },
      { service: 'kinesis', kind: 'delay', rate: 1, delayMs: 20 },
      { service: 'kinesis', kind: 'delay', rate: 1, delayMs: 30 },
    ]);
    expect(injector.decide('kinesis', 'PutRecords')).toEqual({
      delayMs: 50,
      refusal: 'throttle',
      answerLost: false,
      recordFails: undefined,
    });
    expect(injector.report().map(({ injected }) => injected)).toEqual([1, 0, 0, 1, 1]);
  });

  it('of kind partial are drawn for each record, and only when asked for', () => {
    const injector = createFaultInjector([{ service: 'firehose', kind: 'partial', rate: 0.5, seed: 1 }]);
    const faults = injector.decide('firehose', 'PutRecordBatch');
    expect(injector.report()[0]).toMatchObject({ matched: 0, injected: 0 });
    const fails = Array.from({ length: 100 }, () => faults?.recordFails?.());
    const failed = fails.filter((each) => each === true).length;
    expect(failed).toBeGreaterThan(30);
    expect(injector.report()[0]).toMatchObject({ matched: 100, injected: failed });
  });

  it('do not depend on what other rules do', () => {
    const alone = createFaultInjector([throttle]);
    const together = createFaultInjector([
      throttle,
      { service: 'kinesis', operation: 'PutRecords', kind: 'delay', rate: 0.5, delayMs: 1, seed: 9 },
    ]);
    expect(refusals(together, 200)).toEqual(refusals(alone, 200));
  });

  it('start over when the rules are replaced', () => {
    const injector = createFaultInjector([throttle]);
    const first = refusals(injector, 50);
    injector.replace([throttle]);
    expect(injector.report()[0]).toMatchObject({ matched: 0, injected: 0 });
    expect(refusals(injector, 50)).toEqual(first);
    injector.replace([]);
    expect(injector.decide('kinesis', 'PutRecords')).toBeUndefined();
  });
});
