import { createLogger } from '@twinstream/runtime';
import { virtualClock } from '@twinstream/test-kit';
import { expect, it } from 'vitest';
import { EVENT_AGE_MS_MAX, eventInvocations, WAITING_BYTES_MAX } from '../../src/lambda/event-invocations.ts';
import type { InvokeOutcome } from '../../src/lambda/function-invoker.ts';

const FAILED: InvokeOutcome = { kind: 'function-error', requestId: 'r', payload: '{}' };
const DONE: InvokeOutcome = { kind: 'answered', requestId: 'r', payload: 'null' };
const BUSY: InvokeOutcome = { kind: 'unavailable', reason: 'busy' };

/** Asynchronous invocations whose function answers `outcomes`, one after the other, and then its last one. */
function invocationsOf(...outcomes: readonly InvokeOutcome[]) {
  const clock = virtualClock();
  const startMs = clock.now();
  const tries: { readonly atMs: number; readonly payload: string }[] = [];
  const events = eventInvocations({
    invoker: {
      invoke: (_name, payload) => {
        tries.push({ atMs: clock.now() - startMs, payload });
        return Promise.resolve(outcomes[tries.length - 1] ?? outcomes.at(-1) ?? DONE);
      },
    },
    clock,
    random: () => 0.999_999,
    logger: createLogger('test', 'silent'),
  });
  return { clock, events, tries };
}

it('invokes a function that failed again after one minute and after two more, and then drops the event', async () => {
  const { clock, events, tries } = invocationsOf(FAILED);
  expect(events.accept('f', '{"n":1}')).toBe(true);
  await clock.advance(3_600_000);
  expect(tries).toEqual([0, 60_000, 180_000].map((atMs) => ({ atMs, payload: '{"n":1}' })));
  await events.close(0);
});

it('invokes no more once the function has succeeded', async () => {
  const { clock, events, tries } = invocationsOf(FAILED, DONE);
  events.accept('f', '{}');
  await clock.advance(3_600_000);
  expect(tries.map(({ atMs }) => atMs)).toEqual([0, 60_000]);
  await events.close(0);
});

it('waits for a function that cannot be invoked for six hours, at most five minutes at a time', async () => {
  const { clock, events, tries } = invocationsOf(BUSY);
  events.accept('f', '{}');
  await clock.advance(2 * EVENT_AGE_MS_MAX);
  const waits = tries.slice(1).map(({ atMs }, index) => atMs - (tries[index]?.atMs ?? 0));
  expect(Math.round(waits[0] ?? 0)).toBe(1_000);
  expect(Math.max(...waits)).toBeLessThanOrEqual(300_000);
  expect(tries.at(-1)?.atMs).toBeLessThanOrEqual(EVENT_AGE_MS_MAX);
  expect(tries.at(-1)?.atMs).toBeGreaterThan(EVENT_AGE_MS_MAX - 300_000);
  await events.close(0);
});

it('a function that cannot be invoked uses up no retry', async () => {
  const { clock, events, tries } = invocationsOf(BUSY, FAILED, BUSY, FAILED, DONE);
  events.accept('f', '{}');
  await clock.advance(EVENT_AGE_MS_MAX);
  expect(tries).toHaveLength(5);
  await events.close(0);
});

it('accepts no more than fits its memory until an event is done with', async () => {
  const { clock, events } = invocationsOf(BUSY, BUSY, DONE);
  expect(events.accept('f', 'x'.repeat(WAITING_BYTES_MAX))).toBe(true);
  expect(events.accept('f', 'x')).toBe(false);
  await clock.advance(10_000);
  expect(events.accept('f', 'x')).toBe(true);
  await events.close(0);
});

it('drops what waits when it is closed', async () => {
  const { clock, events, tries } = invocationsOf(FAILED);
  events.accept('f', '{}');
  await clock.advance(1_000);
  await events.close(0);
  await clock.advance(3_600_000);
  expect(tries).toHaveLength(1);
});
