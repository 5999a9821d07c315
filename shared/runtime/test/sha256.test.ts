import { Sha256 as SdkSha256 } from '@smithy/core/checksum';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Sha256 } from '../src/sha256.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('makes the digest of FIPS 180-2, appendix B.1, and again after a reset', async () => {
  const sha256 = new Sha256();
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  for (let time = 0; time < 2; time += 1) {
    sha256.update(Buffer.from('abc'));
    expect(hex(await sha256.digest())).toBe(expected);
    sha256.reset();
  }
});

test('makes the code of RFC 4231, test case 2', async () => {
  const hmac = new Sha256('Jefe');
  hmac.update(Buffer.from('what do ya want '));
  hmac.update(Buffer.from('for nothing?'));
  expect(hex(await hmac.digest())).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
});

test('makes what the SDK makes, whatever the secret is and however often it is given', async () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  const secret = fc.oneof(fc.constant(undefined), fc.string(), fc.uint8Array({ minLength: 1, maxLength: 80 }));
  await fc.assert(
    fc.asyncProperty(secret, fc.array(fc.array(bytes), { minLength: 1, maxLength: 4 }), async (key, texts) => {
      for (const chunks of texts) {
        const [ours, theirs] = [new Sha256(key), new SdkSha256(key)];
        for (const chunk of chunks) {
          ours.update(chunk);
          theirs.update(chunk);
        }
        expect(hex(await ours.digest())).toBe(hex(await theirs.digest()));
      }
    }),
  );
});
