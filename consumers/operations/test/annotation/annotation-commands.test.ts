import { EXIT_CODES } from '@twinstream/command-line';
import { type DeviceId, deviceId, newDevice } from '@twinstream/device-model';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import { systemClock } from '@twinstream/runtime';
import { arrivedEvent, SHARDS, TEST_TIME_MS } from '@twinstream/test-kit';
import { beforeEach, describe, expect, test } from 'vitest';
import { type MemoryOperations, memoryOperations, runOps } from '../memory-operations.ts';

const [A, B] = [deviceId('bus-1'), deviceId('bus-2')];
const NOW = TEST_TIME_MS + 3_600_000;
const DONE = ['--execute', '--reason', 'sold', '--actor', 'ann', '--yes'];

let services: MemoryOperations;
/** One event of a device; one that skips counters leaves a gap. */
async function say(device: DeviceId, counter: number, type = 'reported'): Promise<void> {
  const { eventStore, latestState } = services.stored;
  const before = (await latestState.read(device)) ?? newDevice(device);
  const event = arrivedEvent({ deviceId: device, type, at: counter, session: 1, counter, data: {} });
  await latestState.write((await writeBatch(eventStore, before, SHARDS[0], [event])).state);
}
beforeEach(async () => {
  services = memoryOperations({ ...systemClock, now: () => NOW });
  await say(A, 1);
  await say(B, 1);
  await say(B, 4);
});

const ops = (...argv: string[]) => runOps(services, argv);
const json = async (...argv: string[]) => JSON.parse((await ops(...argv, '--output', 'json')).stdout);

describe('ops retire', () => {
  test('shows the devices that are meant and changes nothing, without --execute', async () => {
    const { exitCode, stdout, stderr } = await ops('retire', A);
    expect(exitCode).toBe(EXIT_CODES.success);
    expect(stdout).toMatch(/^would-retire +bus-1 +unknown +1 +0 +\S+Z$/m);
    expect(stderr).toContain('Dry run, nothing changed.');
    expect(await services.annotations.read(A)).toEqual({});
    expect(await services.annotations.revision()).toBe(0);
  });

  test('keeps who, when and why, until the next event, and raises what readers of the fleet follow', async () => {
    expect((await ops('retire', A, B, ...DONE)).exitCode).toBe(EXIT_CODES.success);
    const retirement = { by: 'ann', time: NOW, reason: 'sold' };
    expect(await services.annotations.read(A)).toEqual({ retirement: { ...retirement, events: 1 } });
    expect(await services.annotations.read(B)).toEqual({ retirement: { ...retirement, events: 2 } });
    expect(await services.annotations.revision()).toBeGreaterThan(0);
    expect((await json('retire', A, B)).outcomes).toEqual({ 'already-retired': 2 });
    await say(A, 2);
    expect((await json('retire', A, B)).outcomes).toEqual({ 'would-retire': 1, 'already-retired': 1 });
  });

  test('of a retired device keeps the reason for which it was, and lets the lists read again', async () => {
    await ops('retire', A, ...DONE);
    const before = await services.annotations.revision();
    await ops('retire', A, '--execute', '--reason', 'stolen', '--yes');
    expect((await services.annotations.read(A)).retirement?.reason).toBe('sold');
    expect(await services.annotations.revision()).toBeGreaterThan(before);
  });

  test('is taken back by --withdraw, and says of others that they are not retired', async () => {
    await ops('retire', A, ...DONE);
    expect((await json('retire', A, B, '--withdraw', ...DONE)).devices).toMatchObject([
      { deviceId: A, outcome: 'brought-back' },
      { deviceId: B, outcome: 'not-retired' },
    ]);
    expect((await json('retire', A)).outcomes).toEqual({ 'would-retire': 1 });
    expect((await services.annotations.read(B)).retirement).toBeUndefined();
  });

  test('writes nothing where one of the devices is unknown, no reason is given, or nobody says yes', async () => {
    const unknown = await ops('retire', A, 'nobody', ...DONE);
    expect([unknown.exitCode, unknown.stderr]).toEqual([
      EXIT_CODES.refused,
      expect.stringContaining('UNKNOWN_DEVICE'),
    ]);
    expect((await ops('retire', A, '--execute', '--yes')).exitCode).toBe(EXIT_CODES.usage);
    expect((await ops('retire', 'a\tb')).exitCode).toBe(EXIT_CODES.usage);
    const long = ['--execute', '--yes', '--reason', 'x'.repeat(1_025)];
    expect((await ops('retire', A, ...long)).exitCode).toBe(EXIT_CODES.usage);
    const asked = await runOps(services, ['retire', A, '--execute', '--reason', 'sold'], 'n');
    expect([asked.exitCode, asked.questions]).toEqual([EXIT_CODES.refused, ['Retire bus-1? [y/N] ']]);
    expect(await services.annotations.read(A)).toEqual({});
  });

  test('is unavailable where the table of operators is', async () => {
    const annotations = {
      ...services.annotations,
      read: async () =>
        Promise.reject(Object.assign(new Error('no such table'), { name: 'ResourceNotFoundException' })),
    };
    const { exitCode } = await runOps({ ...services, annotations }, ['retire', A]);
    expect(exitCode).toBe(EXIT_CODES.unavailable);
  });
});

describe('ops acknowledge', () => {
  test('keeps a trouble as known until another gap opens', async () => {
    expect((await json('acknowledge', 'gaps', B)).outcomes).toEqual({ 'would-acknowledge': 1 });
    await ops('acknowledge', 'gaps', B, ...DONE);
    expect(await services.annotations.read(B)).toEqual({
      gaps: { by: 'ann', time: NOW, note: 'sold', missed: 2 },
    });
    expect((await json('acknowledge', 'gaps', B, '--withdraw')).outcomes).toEqual({ 'would-withdraw': 1 });
    await say(B, 9);
    expect((await json('acknowledge', 'gaps', B, '--withdraw')).outcomes).toEqual({ 'not-acknowledged': 1 });
  });

  test('of silence holds for what was heard last', async () => {
    await ops('acknowledge', 'silent', A, ...DONE);
    const { lastArrivalTime } = (await services.stored.latestState.read(A)) ?? {};
    expect((await services.annotations.read(A)).silent).toMatchObject({ lastArrivalTime });
    expect((await json('acknowledge', 'silent', A, '--withdraw', ...DONE)).outcomes).toEqual({
      withdrawn: 1,
    });
    expect((await services.annotations.read(A)).silent).toMatchObject({ withdrawn: true });
  });

  test('is refused for a trouble that the device cannot have', async () => {
    await say(A, 2, 'disconnected');
    for (const trouble of ['gaps', 'silent']) {
      const { exitCode, stderr } = await ops('acknowledge', trouble, A, ...DONE);
      expect([exitCode, stderr]).toEqual([EXIT_CODES.refused, expect.stringContaining('NO_SUCH_TROUBLE')]);
    }
    expect(await services.annotations.read(A)).toEqual({});
    expect((await ops('acknowledge', 'noise', A)).exitCode).toBe(EXIT_CODES.usage);
  });
});
