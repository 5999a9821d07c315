import { expect, test } from 'vitest';
import { keepUntouched } from '../src/keep-untouched.ts';

const made = (before: string, after: string) => {
  const kept = keepUntouched(Buffer.from(before), Buffer.from(after));
  return 'rounded' in kept ? kept : Buffer.from(kept.data).toString();
};

const REJECTED =
  '{"v":0,"deviceId":"bus-1","odometer":9007199254740993,"data":{"km":1.0,"id":0.1234567890123456789,"x":[1.0,2]}}';

test('a module that parses an event and writes it again changes no member that it does not touch', () => {
  const event = JSON.parse(REJECTED);
  event.v = 1;
  event.data.x[1] = 3;
  expect(made(REJECTED, JSON.stringify(event))).toBe(
    REJECTED.replace('"v":0', '"v":1').replace('[1.0,2]', '[1.0,3]'),
  );
});

test('a member that is moved and rounded on the way is refused with its own digits', () => {
  const { odometer, ...event } = JSON.parse(REJECTED);
  event.data.odometer = odometer;
  expect(made(REJECTED, JSON.stringify(event))).toEqual({ rounded: '9007199254740993' });
});

test('what was made of a record that is no JSON stands as it is', () => {
  expect(made('{"v":1', '{"n":9007199254740993}')).toBe('{"n":9007199254740993}');
  expect(made('[1.0]', '{"n":1}')).toBe('{"n":1}');
  expect(made(REJECTED, 'not JSON')).toBe('not JSON');
});
