import { describe, expect, test } from 'vitest';
import { versionText } from '../../src/model/version-text.ts';

describe('the text of a version', () => {
  test.each([
    ['3.7', { session: 3, counter: 7 }],
    ['3.7 +2 r1', { session: 3, counter: 7, ordinal: 2, revision: 1 }],
    ['+84', { session: -1, counter: -1, ordinal: 84 }],
    ['+84 r1', { session: -1, counter: -1, ordinal: 84, revision: 1 }],
  ])('is %s', (text, version) => {
    expect(versionText(version)).toBe(text);
  });
});
