import { dynaliteEngine, type TestDynamoDb } from '@twinstream/event-store/contract/dynamodb-engines';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dynamoDbJobStore, type JobStore, memoryJobStore } from '../../src/replay/job-store.ts';
import { newJob } from '../../src/replay/replay-job.ts';

const runner = (token: string) => ({ token, host: 'here', pid: 1 });
const jobOf = (id: string) => newJob(id, { parts: [], isPolite: true }, 1_000);

let dynamoDb: TestDynamoDb;
beforeAll(async () => {
  dynamoDb = await dynaliteEngine.start();
});
afterAll(() => dynamoDb?.close());

async function dynaliteJobs(): Promise<JobStore> {
  const table = await dynamoDb.createTable({
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'kind', AttributeType: 'S' },
      { AttributeName: 'id', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'kind', KeyType: 'HASH' },
      { AttributeName: 'id', KeyType: 'RANGE' },
    ],
  });
  return dynamoDbJobStore(dynamoDb.client, table);
}

describe.each([
  ['memory', async () => memoryJobStore()],
  ['dynalite', dynaliteJobs],
])('jobs: %s', (_, open) => {
  test('read as they were written, and an id is given once', async () => {
    const jobs = await open();
    const job = jobOf('a');
    await jobs.create(job);
    expect(await jobs.read('a')).toEqual(job);
    expect(await jobs.read('b')).toBeUndefined();
    await expect(jobs.create(job)).rejects.toMatchObject({ code: 'JOB_EXISTS' });
    expect((await jobs.list()).map(({ id }) => id)).toEqual(['a']);
  });

  test('belong to the process that took them over last', async () => {
    const jobs = await open();
    const mine = { ...jobOf('a'), runner: runner('mine') };
    await jobs.create(jobOf('a'));
    await jobs.takeOver(mine, undefined);
    await jobs.save({ ...mine, part: 1 });
    const theirs = { ...mine, runner: runner('theirs') };
    await jobs.takeOver(theirs, mine.runner);
    await expect(jobs.save({ ...mine, part: 2 })).rejects.toMatchObject({ code: 'JOB_TAKEN_OVER' });
    await jobs.save({ ...theirs, part: 3 });
    expect((await jobs.read('a'))?.part).toBe(3);
  });

  test('hear of a wish to cancel until they are taken over again', async () => {
    const jobs = await open();
    const job = { ...jobOf('a'), runner: runner('mine') };
    await jobs.create(job);
    await jobs.takeOver(job, undefined);
    expect(await jobs.save(job)).toEqual({ isCancelRequested: false });
    expect(await jobs.requestCancel('a')).toBe(true);
    expect(await jobs.requestCancel('nothing')).toBe(false);
    expect(await jobs.save(job)).toEqual({ isCancelRequested: true });
    await jobs.takeOver(job, job.runner);
    expect(await jobs.save(job)).toEqual({ isCancelRequested: false });
  });

  test('lose nothing to a take-over that lands after that of another', async () => {
    const jobs = await open();
    await jobs.create(jobOf('a'));
    const late = { ...jobOf('a'), runner: runner('late') };
    const theirs = { ...jobOf('a'), runner: runner('theirs') };
    await jobs.takeOver(theirs, undefined);
    await jobs.save({ ...theirs, saves: 1, part: 1 });
    await expect(jobs.takeOver(late, undefined)).rejects.toMatchObject({ code: 'JOB_TAKEN_OVER' });
    await jobs.save({ ...theirs, saves: 2, part: 2 });
    expect((await jobs.read('a'))?.part).toBe(2);
  });

  test('lose nothing to a request of their own runner that lands late', async () => {
    const jobs = await open();
    await jobs.create(jobOf('a'));
    const mine = { ...jobOf('a'), runner: runner('mine') };
    await jobs.takeOver(mine, undefined);
    await jobs.save({ ...mine, saves: 2, part: 2 });
    await expect(jobs.save({ ...mine, saves: 1, part: 1 })).rejects.toMatchObject({ code: 'JOB_TAKEN_OVER' });
    await expect(jobs.takeOver(mine, undefined)).rejects.toMatchObject({ code: 'JOB_TAKEN_OVER' });
    // The same once more, because its answer was lost.
    await jobs.save({ ...mine, saves: 2, part: 2 });
    expect((await jobs.read('a'))?.part).toBe(2);
  });
});
