import type { EventJson } from '@twinstream/api-contract';
import { expect, test } from 'vitest';
import { arrivalMs } from '../../src/model/event.ts';
import { statusSpansOf } from '../../src/model/status-spans.ts';

const event = (type: string, atMs: number): EventJson => ({
  v: 1,
  deviceId: 'bus-1',
  type,
  time: new Date(atMs).toISOString(),
  position: { shardId: 'shardId-0', sequenceNumber: '1', subSequenceNumber: 0 },
  arrivalTime: new Date(atMs).toISOString(),
});

test('a device is heard, connected, silent and disconnected, one after the other', () => {
  const events = [
    event('reported', 5),
    event('connected', 10),
    event('reported', 20),
    event('disconnected', 80),
  ];
  expect(statusSpansOf(events, arrivalMs, { fromMs: 0, toMs: 100, silenceMs: 30 })).toEqual([
    { status: 'heard', fromMs: 5, toMs: 10 },
    { status: 'connected', fromMs: 10, toMs: 50 },
    { status: 'silent', fromMs: 50, toMs: 80 },
    { status: 'disconnected', fromMs: 80, toMs: 100 },
  ]);
});

test('only the window counts', () => {
  const events = [event('connected', 10), event('disconnected', 90)];
  expect(statusSpansOf(events, arrivalMs, { fromMs: 40, toMs: 60, silenceMs: 1_000 })).toEqual([
    { status: 'connected', fromMs: 40, toMs: 60 },
  ]);
});
