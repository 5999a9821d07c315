import { formatVersion, NO_VERSION, parseVersion } from '@twinstream/device-model';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { expect, test } from 'vitest';

const position = {
  shardId: shardId('shardId-a'),
  sequenceNumber: sequenceNumber('7'),
  subSequenceNumber: 0,
};

test.each([
  [{ session: 1, counter: 2, ordinal: 0, revision: 0 }, '1.2'],
  [{ session: 1, counter: 2, ordinal: 3, revision: 0 }, '1.2+3'],
  [{ session: 1, counter: 2, ordinal: 0, revision: 4 }, '1.2r4'],
  [{ session: 1, counter: 2, ordinal: 3, revision: 4 }, '1.2+3r4'],
  [NO_VERSION, '-1.-1'],
  [{ ...NO_VERSION, position }, '-1.-1@shardId-a:7:0'],
])('the text of %o has what applies, and nothing else: %s', (version, text) => {
  expect(formatVersion(version)).toBe(text);
  expect(parseVersion(text)).toStrictEqual(version);
});

test.each(['', '1', '1.', '1.2+', '1.2r', '1.2@', '1.2@a:7', 'x1.2', '1.2x', '1.2@a:b:c', '1.2r4+3'])(
  '%j is not the text of a version',
  (text) => {
    expect(() => parseVersion(text)).toThrow(RangeError);
  },
);
