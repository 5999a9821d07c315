import type { Scope } from '@twinstream/api-contract';
import { describe, expect, test } from 'vitest';
import { loopbackAccess } from '../src/access.ts';

const TOKEN = 'a-token-of-some-length';

const decide = (headers: Record<string, string>, scope: Scope = 'read', token?: string) => {
  const access = loopbackAccess(token === undefined ? {} : { token });
  const decision = access(scope, { header: (name) => headers[name], env: {} });
  return decision.allowed ? 200 : decision.answer.status;
};

describe('access on loopback', () => {
  test.each(['127.0.0.1', '127.0.0.1:8080', 'localhost:8080', 'LOCALHOST', '[::1]:8080'])(
    'lets the host %s in',
    (host) => {
      expect(decide({ host })).toBe(200);
    },
  );

  test.each([
    'evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '127.0.0.1@evil.example',
    '10.0.0.1',
    '0.0.0.0',
    '',
  ])('refuses the host %j, whatever it resolves to', (host) => {
    expect(decide({ host })).toBe(403);
    expect(decide({ host }, 'open')).toBe(403);
  });

  test('refuses a request without a host', () => {
    expect(decide({})).toBe(403);
  });

  test('lets its own page in, and no page from elsewhere', () => {
    const host = '127.0.0.1:8080';
    expect(decide({ host, origin: 'http://127.0.0.1:8080' }, 'write')).toBe(200);
    for (const origin of [
      'http://evil.example',
      'http://127.0.0.1:9090',
      'http://localhost:8080',
      'https://127.0.0.1:8080',
      'null',
    ]) {
      expect([origin, decide({ host, origin })]).toEqual([origin, 403]);
    }
  });

  test('refuses a change that a browser says another site asks for', () => {
    const host = 'localhost';
    expect(decide({ host, 'sec-fetch-site': 'cross-site' }, 'write')).toBe(403);
    expect(decide({ host, 'sec-fetch-site': 'same-site' }, 'write')).toBe(403);
    expect(decide({ host, 'sec-fetch-site': 'same-origin' }, 'write')).toBe(200);
  });

  test('asks for the token where there is one, but not for the health', () => {
    const host = 'localhost';
    expect(decide({ host }, 'read', TOKEN)).toBe(401);
    expect(decide({ host, authorization: `Bearer ${TOKEN}x` }, 'read', TOKEN)).toBe(401);
    expect(decide({ host, authorization: TOKEN }, 'read', TOKEN)).toBe(401);
    expect(decide({ host, authorization: `Bearer ${TOKEN}` }, 'write', TOKEN)).toBe(200);
    expect(decide({ host }, 'open', TOKEN)).toBe(200);
    expect(decide({ host: 'evil.example', authorization: `Bearer ${TOKEN}` }, 'read', TOKEN)).toBe(403);
  });
});
