import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Access } from '../src/access.ts';
import { jwtAccess } from '../src/jwt-access.ts';

let issuer: string;
let access: Access;
let sign: (
  claims: Record<string, unknown>,
  options?: { issuer?: string; expires?: string },
) => Promise<string>;
let isAway = false;
const server = createServer();

beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256' }] };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  issuer = `http://127.0.0.1:${address.port}`;
  server.on('request', (request, response) => {
    const isDiscovery = request.url === '/.well-known/openid-configuration';
    response.statusCode = isAway ? 503 : 200;
    response.end(JSON.stringify(isDiscovery ? { jwks_uri: `${issuer}/keys` } : keys));
  });
  access = jwtAccess({ issuer, audience: ['page', 'tools'] });
  sign = (claims, { issuer: from = issuer, expires = '5m' } = {}) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(from)
      .setExpirationTime(expires)
      .sign(privateKey);
});
afterAll(() => server.close());

async function decided(token: string | undefined, scope: 'open' | 'read' | 'write' = 'read') {
  const header = (name: string) =>
    name === 'authorization' && token !== undefined ? `Bearer ${token}` : undefined;
  const decision = await access(scope, { header, env: undefined });
  return decision.allowed ? (decision.actor ?? 'somebody') : decision.answer.status;
}

const READER = { sub: 'ann', aud: 'page', scope: 'twinstream/read' };

describe('access by tokens', () => {
  test('waits for an issuer that is away, and tries it again', async () => {
    isAway = true;
    await expect(decided(await sign(READER))).rejects.toThrow('503');
    isAway = false;
    expect(await decided(await sign(READER))).toBe('ann');
  });

  test('takes a token for one of the audiences, by aud or client_id', async () => {
    expect(await decided(await sign({ ...READER, aud: ['x', 'tools'] }))).toBe('ann');
    expect(await decided(await sign({ sub: 'ann', client_id: 'page', scope: 'twinstream/read' }))).toBe(
      'ann',
    );
    expect(await decided(await sign({ ...READER, aud: 'x' }))).toBe(401);
    expect(await decided(await sign({ sub: 'ann', scope: 'twinstream/read' }))).toBe(401);
  });

  test('refuses no token, another issuer, an old token, another key and no signature', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const forged = await new SignJWT(READER)
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(issuer)
      .setExpirationTime('5m')
      .sign(privateKey);
    const payload = Buffer.from(JSON.stringify({ ...READER, iss: issuer })).toString('base64url');
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    const tokens = [
      undefined,
      await sign(READER, { issuer: 'http://elsewhere' }),
      await sign(READER, { expires: '-1m' }),
      forged,
      unsigned,
      'x',
    ];
    for (const token of tokens) expect(await decided(token)).toBe(401);
    expect(await decided(undefined, 'open')).toBe('somebody');
  });

  test('asks for the scope of the operation', async () => {
    expect(await decided(await sign(READER), 'write')).toBe(403);
    expect(await decided(await sign({ ...READER, scope: 'a twinstream/write' }), 'write')).toBe('ann');
    expect(await decided(await sign({ ...READER, scope: 'a' }))).toBe(403);
  });
});
