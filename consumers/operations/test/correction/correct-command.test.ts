import { EXIT_CODES } from '@twinstream/command-line';
import { newDevice } from '@twinstream/device-model';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
import { beforeEach, expect, test } from 'vitest';
import { nearestName } from '../../src/correction/preview-correction.ts';
import { type MemoryOperations, memoryOperations, runOps } from '../memory-operations.ts';

let services: MemoryOperations;
beforeEach(async () => {
  services = memoryOperations();
  const { eventStore, latestState } = services.stored;
  const data = { speedMph: 17.4, note: 'old' };
  const arrived = [arrivedEvent({ at: 1, session: 1, counter: 1, data })];
  const { state } = await writeBatch(eventStore, newDevice(DEVICE), SHARDS[0], arrived);
  await latestState.write(state);
});

const correct = (answer: string | undefined, ...flags: string[]) =>
  runOps(services, ['correct', DEVICE, '--reason', 'r', '--actor', 'ann', ...flags], answer);

test('shows old and new values before anything is written, and writes nothing unless somebody says yes', async () => {
  const { exitCode, stdout, stderr, questions } = await correct(
    'n',
    '--set',
    'speedMph=17.5',
    '--set',
    'note=null',
  );
  expect(stderr).toMatch(/^speedMph +17\.4 +17\.5$/m);
  expect(stderr).toMatch(/^note +"old" +- +removed$/m);
  expect(questions).toEqual([`Correct ${DEVICE}? [y/N] `]);
  expect(stdout).toBe('');
  expect(exitCode).toBe(EXIT_CODES.refused);
});

test('flags an attribute that the device does not have, and names the one that may be meant', async () => {
  const { stderr } = await correct('n', '--set', 'speedMhp=17.5', '--set', 'door=1', '--set', 'x=null');
  expect(stderr).toMatch(/^speedMhp +- +17\.5 +NEW: the device has no such attribute; is speedMph meant\?$/m);
  expect(stderr).toMatch(/^door +- +1 +NEW: the device has no such attribute$/m);
  expect(stderr).toMatch(/^x +- +- +nothing to remove$/m);
});

test('is wrong usage where stdin is not a terminal, unless --yes answers', async () => {
  const unasked = await correct(undefined, '--set', 'speedMph=17.5');
  expect(unasked.stderr).toContain('pass --yes');
  expect(unasked.exitCode).toBe(EXIT_CODES.usage);
  // It goes on to the stream, which does not answer here.
  const confirmed = await correct(undefined, '--set', 'speedMph=17.5', '--yes');
  expect(confirmed.questions).toEqual([]);
  expect(confirmed.exitCode).toBe(EXIT_CODES.unavailable);
});

test.each(['2:0', '1:2'])('refuses a correction of %s, which the device has not come to', async (target) => {
  const { exitCode, stderr, questions } = await correct('y', '--set', 'speedMph=17.5', '--corrects', target);
  expect(stderr).toContain(
    `refused (CORRECTION_AHEAD): ${DEVICE}: corrects ${target}, but the device has come to 1:1`,
  );
  expect([exitCode, questions]).toEqual([EXIT_CODES.refused, []]);
});

test('offers a correction of what stands ahead of the device, without its target being named', async () => {
  const { eventStore, latestState } = services.stored;
  const state = await latestState.read(DEVICE);
  if (state === undefined) throw new Error('nothing is stored');
  const corrects = { session: 9, counter: 1 };
  const ahead = arrivedEvent({
    at: 2,
    type: 'corrected',
    correctionId: 'c1',
    corrects,
    data: { speedMph: 99 },
  });
  await latestState.write((await writeBatch(eventStore, state, SHARDS[0], [ahead])).state);
  for (const target of [[], ['--corrects', '9:1']]) {
    const { stderr, questions } = await correct('n', '--set', 'speedMph=17.5', ...target);
    expect(stderr).toMatch(/^speedMph +99 +17\.5$/m);
    expect(questions).toHaveLength(1);
  }
});

test.each([
  ['speedMhp', 'speedMph'],
  ['SPEEDMPH', 'speedMph'],
  ['speed', undefined],
  ['nott', 'note'],
  ['x', undefined],
])('%s may mean %s', (name, nearest) => {
  expect(nearestName(name, ['speedMph', 'note', 'y'])).toBe(nearest);
});
