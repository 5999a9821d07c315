import { EXIT_CODES } from '@twinstream/command-line';
import { deviceId, newDevice } from '@twinstream/device-model';
import { readHistory } from '@twinstream/event-store';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import { systemClock } from '@twinstream/runtime';
import { arrivedEvent, DEVICE, SHARDS, TEST_TIME_MS } from '@twinstream/test-kit';
import { beforeEach, describe, expect, test } from 'vitest';
import { type MemoryOperations, memoryOperations, runOps } from '../memory-operations.ts';

const NOW = TEST_TIME_MS + 3_600_000;

let services: MemoryOperations;
beforeEach(async () => {
  services = memoryOperations({ ...systemClock, now: () => NOW });
  const { eventStore, latestState } = services.stored;
  const arrived = [1, 2, 3].map((at) => arrivedEvent({ at, session: 1, counter: at, data: { speed: at } }));
  const { state } = await writeBatch(eventStore, newDevice(DEVICE), SHARDS[0], arrived);
  await latestState.write(state);
});

const state = (...flags: string[]) => runOps(services, ['state', DEVICE, ...flags]);
const iso = (timeMs: number) => new Date(timeMs).toISOString();

describe('the state at a time', () => {
  test.each(['arrival', 'event-time'])('by %s is refused where the time is to come', async (basis) => {
    const { exitCode, stdout, stderr } = await state('--at', iso(NOW + 11_000), '--basis', basis);
    expect(stderr).toContain('lies in the future');
    expect(stdout).toBe('');
    expect(exitCode).toBe(EXIT_CODES.usage);
  });

  test.each(['1969-12-31T23:59:59Z', '2286-11-20T17:46:40Z', 'P40000D'])(
    'is refused for %s, which no store keeps',
    async (at) => {
      for (const basis of ['arrival', 'event-time']) {
        const { exitCode, stderr } = await state('--at', at, '--basis', basis);
        expect(stderr).toContain('nothing can be stored outside');
        expect(exitCode).toBe(EXIT_CODES.usage);
      }
    },
  );

  test('is told up to now', async () => {
    expect((await state('--at', 'now')).exitCode).toBe(EXIT_CODES.success);
    expect((await state('--at', iso(NOW))).stdout).toMatch(/^speed +3/m);
  });
});

describe('what changed between two times', () => {
  test('is refused where the second is earlier than the first', async () => {
    const { exitCode, stdout, stderr } = await state('--at', 'PT1M', '--diff', 'PT2M');
    expect(stderr).toContain('--diff must not be earlier than --at');
    expect(stdout).toBe('');
    expect(exitCode).toBe(EXIT_CODES.usage);
  });

  test('is refused where one of them is to come', async () => {
    expect((await state('--at', 'PT1M', '--diff', iso(NOW + 11_000))).exitCode).toBe(EXIT_CODES.usage);
  });

  test('counts the events between', async () => {
    const { stdout } = await state('--at', 'earliest', '--diff', 'now');
    expect(stdout).toContain('3 events between');
  });
});

test('a state says up to which version its attributes are not kept, and nothing of it where all are', async () => {
  expect((await state()).stdout).not.toContain('not kept');
  expect(JSON.parse((await state('--output', 'json')).stdout).attributesFloor).toBeNull();
  const { latestState } = services.stored;
  const known = (await latestState.read(DEVICE)) ?? newDevice(DEVICE);
  const attributesFloor = { session: 1, counter: 2, ordinal: 0, revision: 0 };
  await latestState.replace({ ...known, attributesFloor }, known.page);
  expect((await state()).stdout).toMatch(/^not kept {4}attributes up to version 1\.2: too many names$/m);
  expect(JSON.parse((await state('--output', 'json')).stdout).attributesFloor).toBe('1.2');
});

test('a time before the first event is answered with the time of that', async () => {
  const { exitCode, stderr } = await state('--at', iso(TEST_TIME_MS - 60_000));
  expect(exitCode).toBe(EXIT_CODES.refused);
  const { events } = await readHistory(services.stored.eventStore, {
    deviceId: DEVICE,
    order: 'ascending',
    limit: 1,
  });
  expect(stderr).toContain(
    `its first event arrived at ${iso(events[0]?.arrivalTime ?? 0)}, with the device time ${events[0]?.event.time}`,
  );
});

test('attributes of a device that has not counted yet have a dash for a version', async () => {
  const { eventStore, latestState } = services.stored;
  const device = deviceId('uncounted');
  const arrived = [arrivedEvent({ deviceId: device, at: 1, data: { speed: 7 } })];
  const { state: written } = await writeBatch(eventStore, newDevice(device), SHARDS[0], arrived);
  await latestState.write(written);
  expect((await runOps(services, ['state', device])).stdout).toMatch(/^speed +7 +-$/m);
  expect((await runOps(services, ['history', device])).stdout).not.toContain('-1.-1');
});

test('a list is a line of JSON for each of its items where that is asked for, and one state a line', async () => {
  const { stdout } = await runOps(services, ['history', DEVICE, '--output', 'ndjson']);
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).counter),
  ).toEqual([1, 2, 3]);
  const one = (await state('--output', 'ndjson')).stdout;
  expect(one.trimEnd().split('\n')).toHaveLength(1);
  expect(JSON.parse(one)).toEqual(JSON.parse((await state('--output', 'json')).stdout));
});
