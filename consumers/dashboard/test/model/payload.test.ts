import { expect, test } from 'vitest';
import { bytesOfBase64, hexDump, textOfBytes } from '../../src/model/payload.ts';

test('bytes are shown as offset, hexadecimal and text, sixteen a line', () => {
  const bytes = new TextEncoder().encode('{"v":9,"deviceId":"ü"}');
  expect(hexDump(bytes, 20)).toBe(
    [
      '00000000  7b 22 76 22 3a 39 2c 22 64 65 76 69 63 65 49 64  {"v":9,"deviceId',
      '00000010  22 3a 22 c3                                      ":".',
    ].join('\n'),
  );
});

test('bytes that are not UTF-8 have no text, and a byte-order mark is kept', () => {
  expect(textOfBytes(bytesOfBase64('AP/zCg=='))).toBeUndefined();
  expect(textOfBytes(bytesOfBase64('77u/e30='))).toBe('\ufeff{}');
});
