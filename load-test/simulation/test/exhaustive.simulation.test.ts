import { fileURLToPath } from 'node:url';
import { runNode } from '@twinstream/test-kit';
import { expect, test } from 'vitest';
import { explore } from '../src/exhaustive/explore.ts';
import { replaySchedule } from '../src/exhaustive/replay-schedule.ts';
import type { SmallModel } from '../src/exhaustive/small-model.ts';
import { SMALL_MODELS } from '../src/exhaustive/small-models.ts';

const SIMULATION = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** All orders of the steps of the smallest model: counted by trying each of them, with nothing left out. */
const SMALLEST_WORLD_ORDERS = 12_610n;

const [smallest = noModel()] = SMALL_MODELS;

function noModel(): SmallModel {
  throw new Error('there is no small model');
}

test('no guarantee is violated in any schedule of three events and two workers', async () => {
  for (const model of SMALL_MODELS) {
    const { violation, runs } = await explore({ ...model, faultsMax: 0 });
    if (violation !== undefined)
      throw new Error(`${model.name}: ${violation.choices}`, { cause: violation.error });
    expect(runs).toBeGreaterThan(20);
  }
});

test('the whole tree of the smallest model is tried: as many schedules with and without a memory of situations', async () => {
  const remembering = await explore(smallest, { everyOrder: true });
  expect(remembering.schedules).toBe(SMALLEST_WORLD_ORDERS);
  expect(remembering.runs).toBeLessThan(200);
  const trying = await explore(smallest, { everyOrder: true, everyPath: true });
  expect(trying.schedules).toBe(SMALLEST_WORLD_ORDERS);
  expect(BigInt(trying.runs)).toBe(SMALLEST_WORLD_ORDERS);
});

test('what is left out of the orders changes nothing: they end in the same ways', async () => {
  const models = SMALL_MODELS.filter(({ name }) => /^(?:the same batch|two to a page|sibling)/.test(name));
  for (const model of models) {
    const few = await explore({ ...model, faultsMax: 0 });
    const all = await explore({ ...model, faultsMax: 0 }, { everyOrder: true });
    expect(few.ends).toEqual(all.ends);
    expect(few.schedules).toBeLessThan(all.schedules);
  }
});

test('no guarantee is violated in any schedule with one fault, and each exploration is the same', async () => {
  const model = { ...smallest, faultsMax: 1 };
  const [first, second] = [await explore(model), await explore(model)];
  expect(first.violation).toBeUndefined();
  expect(first.runs).toBeGreaterThan(1_000);
  expect(second).toEqual(first);
});

test('the same choices give the same run', async () => {
  const model = { ...smallest, faultsMax: 1 };
  const run = await replaySchedule(model, [1, 0, 1]);
  expect(await replaySchedule(model, [1, 0, 1])).toEqual(run);
  expect(run.steps.length).toBeGreaterThan(10);
  expect(run.steps).not.toEqual((await replaySchedule(model, [])).steps);
  await expect(replaySchedule(model, [1_000])).rejects.toThrow(RangeError);
});

test.each(['no condition on the page put', 'state written without its condition'])(
  'finds a seeded fault, and runs it again by its choices: %s',
  async (name) => {
    const found = await run('--seeded-fault', name, '--exhaustive');
    expect(found.code).toBe(1);
    expect(found.output).toMatch(/violated in "/);
    const [, model = '', choices = ''] = /--model '?(.+?)'? --choices (.+)/.exec(found.errors) ?? [];
    const again = await run('--seeded-fault', name, '--exhaustive', '--model', model, '--choices', choices);
    expect(again.code).toBe(1);
    expect(again.output).toMatch(/^violated: /m);
    const healthy = await run('--exhaustive', '--model', model, '--choices', choices);
    expect(healthy).toMatchObject({ code: 0, output: expect.stringContaining('nothing was violated') });
  },
);

async function run(...args: string[]) {
  const { code, stdout: output, stderr: errors } = await runNode([SIMULATION, ...args]);
  return { code, output, errors };
}
