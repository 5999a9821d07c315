import { parseSampled } from '@twinstream/telemetry';
import { expect, test } from 'vitest';
import { lineBytes, type PlannedEvent } from '../../src/sending/planned-event.ts';
import { withTraces } from '../../src/sending/traced-source.ts';

const CONTEXT = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };

const planned = (text: string): PlannedEvent => ({
  deviceId: 'bus-1',
  type: 'reported',
  time: '2026-01-01T00:00:00Z',
  session: 1,
  counter: 1,
  bytes: lineBytes(text),
  dueMs: undefined,
});

async function sentBy(events: readonly PlannedEvent[], share: number): Promise<PlannedEvent[]> {
  const left = [...events];
  const draws = [0.1, 0.6, 0.4];
  const source = withTraces({ next: () => left.shift(), close: async () => undefined }, share, {
    random: () => draws.shift() ?? 1,
    newContext: () => CONTEXT,
  });
  const sent: PlannedEvent[] = [];
  for (let one = await source.next(); one !== undefined; one = await source.next()) sent.push(one);
  return sent;
}

test('the share of events that is traced carries its context as one more member, the others stay as they are', async () => {
  const events = ['{"n":1}', '{"n":2}', '{"n":3}'].map(planned);
  const [first, second, third] = await sentBy(events, 0.5);
  expect(second).toBe(events[1]);
  for (const one of [first, third]) {
    const { n, traceparent } = JSON.parse(Buffer.from(one?.bytes ?? []).toString());
    expect([parseSampled(traceparent), one?.trace]).toEqual([CONTEXT, CONTEXT]);
    expect(n).toBe(one === first ? 1 : 3);
    expect(Buffer.from(one?.bytes ?? []).at(-1)).toBe(0x0a);
  }
});

test('bytes that are not an object are not traced', async () => {
  const events = ['[1]', 'speed=17'].map(planned);
  expect(await sentBy(events, 1)).toEqual(events);
});
