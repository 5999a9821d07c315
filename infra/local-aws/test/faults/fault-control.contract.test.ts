import { createLogger } from '@twinstream/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFaultControl } from '../../src/faults/fault-control.ts';
import { remoteFaults } from '../../src/faults/remote-faults.ts';
import { createFaultInjector, type SeededFaultInjector } from '../../src/faults/seeded-fault-injector.ts';
import type { LoopbackServer } from '../../src/http/loopback-server.ts';

let injector: SeededFaultInjector;
let server: LoopbackServer;
const logger = createLogger('test', 'silent');

beforeEach(async () => {
  injector = createFaultInjector();
  server = await startFaultControl({ injector, logger });
});
afterEach(() => server.close());

interface Problem {
  readonly errors: readonly { readonly field: string; readonly message: string }[];
}

const request = (method: string, body?: string) =>
  fetch(`${server.url}/faults`, { method, ...(body === undefined ? {} : { body }) });
const put = (rules: unknown) => request('PUT', JSON.stringify({ rules }));
const rule = { service: 'dynamodb', operation: 'PutItem', kind: 'throttle', rate: 1 };

describe('the fault control', () => {
  it('sets rules that take effect immediately, and shows what they have injected', async () => {
    const answer = await put([rule]);
    expect(answer.status).toBe(200);
    expect(injector.decide('dynamodb', 'PutItem')?.refusal).toBe('throttle');
    const shown = await request('GET');
    expect(await shown.json()).toEqual({ rules: [{ ...rule, matched: 1, injected: 1 }] });
  });

  it('steers the injectors of other processes too, and counts what all of them have done', async () => {
    const own = createFaultInjector();
    const steering = await startFaultControl({
      injector: own,
      others: [remoteFaults(server.url)],
      logger,
    });
    const body = JSON.stringify({ rules: [rule] });
    expect((await fetch(`${steering.url}/faults`, { method: 'PUT', body })).status).toBe(200);
    for (const one of [own, injector, injector]) one.decide('dynamodb', 'PutItem');
    const shown = await fetch(`${steering.url}/faults`);
    expect(await shown.json()).toEqual({ rules: [{ ...rule, matched: 3, injected: 3 }] });
    await fetch(`${steering.url}/faults`, { method: 'DELETE' });
    expect(injector.decide('dynamodb', 'PutItem')).toBeUndefined();
    await steering.close();
  });

  it('replaces all rules by a PUT and removes them by a DELETE', async () => {
    await put([rule]);
    await put([{ ...rule, operation: 'Query' }]);
    expect(injector.decide('dynamodb', 'PutItem')).toBeUndefined();
    const answer = await request('DELETE');
    expect(await answer.json()).toEqual({ rules: [] });
    expect(injector.decide('dynamodb', 'Query')).toBeUndefined();
  });

  it.each([
    ['rules[0].service', { ...rule, service: 'sqs' }],
    ['rules[0].operation', { ...rule, operation: 'Put Item' }],
    ['rules[0].kind', { ...rule, kind: 'explode' }],
    ['rules[0].rate', { ...rule, rate: 1.5 }],
    ['rules[0].rate', { service: 'dynamodb', kind: 'throttle' }],
    ['rules[0].delayMs', { ...rule, kind: 'delay' }],
    ['rules[0].delayMs', { ...rule, delayMs: 5 }],
    ['rules[0].kind', { service: 's3', kind: 'partial', rate: 1 }],
    ['rules[0].seed', { ...rule, seed: -1 }],
    ['rules[0].count', { ...rule, count: 0.5 }],
  ])('refuses a rule with a wrong field, naming %s, and changes nothing', async (field, wrong) => {
    await put([rule]);
    const answer = await put([wrong]);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    const problem: Problem = JSON.parse(await answer.text());
    expect(problem).toMatchObject({ type: 'about:blank', status: 400, title: 'Invalid fault rules' });
    expect(problem.errors.map((error) => error.field)).toContain(field);
    expect(injector.report()).toHaveLength(1);
  });

  it('names every faulty field in one answer, and fields that do not exist', async () => {
    const answer = await put([
      { ...rule, rate: -1 },
      { ...rule, chance: 1 },
    ]);
    const { errors }: Problem = JSON.parse(await answer.text());
    expect(errors.map((error) => error.field)).toEqual(['rules[0].rate', 'rules[1]']);
    expect(errors[1]?.message).toContain('chance');
  });

  it('refuses invalid JSON, no rules, too long, another method or another path', async () => {
    expect((await request('PUT', '{')).status).toBe(400);
    expect((await request('PUT', '[]')).status).toBe(400);
    expect((await request('PUT', ' '.repeat(300_000))).status).toBe(413);
    const post = await request('POST', '{}');
    expect(post.status).toBe(405);
    expect(post.headers.get('allow')).toBe('GET, PUT, DELETE');
    expect((await fetch(`${server.url}/`)).status).toBe(404);
  });

  it('listens on loopback, and says so when its port is taken', async () => {
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    await expect(startFaultControl({ injector, logger, port: server.port })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: `port ${server.port} is taken by another process`,
    });
  });
});
