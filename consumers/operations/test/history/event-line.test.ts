import { decodeEvent } from '@twinstream/device-model';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { expect, test } from 'vitest';
import { arrivedLine, eventLine } from '../../src/history/event-line.ts';

const THEIRS =
  '"late":"yes","repaired":1.0,"page":9,"version":{"n":9007199254740993},"otherMembers":[],"reason":"r"';
const TEXT = `{"v":1,"deviceId":"bus-1","type":"reported","time":"2026-11-23T05:00:00Z","data":{"km":1.0},${THEIRS}}`;

function stored(text: string) {
  const decoded = decodeEvent(Buffer.from(text));
  if ('rejected' in decoded) throw new Error(decoded.detail);
  return {
    ...decoded,
    place: { sequenceNumber: sequenceNumber('7'), subSequenceNumber: 0 },
    arrivalTime: 0,
    version: { session: -1, counter: -1, ordinal: 1, revision: 0 },
    shardId: shardId('shardId-000000000000'),
    page: 3,
  };
}

test('a line of history keeps what the device sent, digit by digit, apart from what is ours', () => {
  const line = eventLine(stored(TEXT));
  expect(line).toContain(`"data":{"km":1.0},"otherMembers":{${THEIRS}}}`);
  expect(JSON.parse(line)).toMatchObject({
    late: false,
    repaired: false,
    page: 3,
    version: '-1.-1+1',
    arrivalTime: '1970-01-01T00:00:00.000Z',
  });
  expect(JSON.parse(line)).not.toHaveProperty('reason');
});

test('an event that is not stored has no version, page, late or repaired, but those of its device', () => {
  const line = JSON.parse(arrivedLine(stored(TEXT)));
  for (const name of ['version', 'page', 'late', 'repaired']) {
    expect(line).not.toHaveProperty(name);
    expect(line.otherMembers).toHaveProperty(name);
  }
});

test('an event of known members alone has no others', () => {
  expect(eventLine(stored(TEXT.replace(`,${THEIRS}`, '')))).not.toContain('otherMembers');
});
