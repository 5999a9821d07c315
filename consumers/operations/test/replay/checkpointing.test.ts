import { systemClock } from '@twinstream/runtime';
import { expect, test } from 'vitest';
import { createCheckpointing } from '../../src/replay/checkpointing.ts';
import { memoryJobStore } from '../../src/replay/job-store.ts';
import { newJob } from '../../src/replay/replay-job.ts';

test('shards that are done at the same time save one after the other, and the later save lands last', async () => {
  const job = newJob('job-1', { target: 'repair', parts: [], isPolite: true }, 0);
  const store = memoryJobStore();
  await store.create(job);
  let underWay = 0;
  const landed: (number | undefined)[] = [];
  const checkpointing = createCheckpointing(
    job,
    {
      ...store,
      save: async (copy) => {
        underWay += 1;
        expect(underWay).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        landed.push(copy.saves);
        underWay -= 1;
        return store.save(copy);
      },
    },
    systemClock,
    0,
  );
  await Promise.all(Array.from({ length: 5 }, () => checkpointing.save()));
  expect(landed).toEqual([1, 2, 3, 4, 5]);
});
