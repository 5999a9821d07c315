import { ARRIVAL_TIME_MAX, splitEvent, storedTimeFault } from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';

describe('the text of an event', () => {
  test('is split into members with a meaning and those that the device added, in their own words', () => {
    const text =
      '{ "v" : 1,"deviceId":"a","n":1.0,"type":"reported","time":"t","session":1,"counter":2, "data":{"x":1.0},"deep":{"v":[1]} }';
    expect(splitEvent(text, 'reported')).toEqual({
      known: '{"v" : 1,"deviceId":"a","type":"reported","time":"t","session":1,"counter":2,"data":{"x":1.0}}',
      other: '{"n":1.0,"deep":{"v":[1]}}',
    });
  });

  test('has no other part where the device added nothing', () => {
    expect(splitEvent('{"v":1,"data":{}}', 'reported')).toStrictEqual({ known: '{"v":1,"data":{}}' });
    expect(splitEvent('{"own":1}', 'reported')).toStrictEqual({ known: '{}', other: '{"own":1}' });
  });

  test('has members of a correction in corrections alone', () => {
    const text = '{"v":1,"correctionId":"c","reason":"r","actor":"a","corrects":{"session":1,"counter":2}}';
    expect(splitEvent(text, 'corrected')).toStrictEqual({ known: text });
    expect(splitEvent(text, 'reported')).toStrictEqual({
      known: '{"v":1}',
      other: '{"correctionId":"c","reason":"r","actor":"a","corrects":{"session":1,"counter":2}}',
    });
    expect(splitEvent('{"own":1}', 'corrected')).toStrictEqual({ known: '{}', other: '{"own":1}' });
  });

  test('counts the last one of a name that comes twice', () => {
    expect(splitEvent('{"own":1,"v":1,"own":2}', 'reported')).toStrictEqual({
      known: '{"v":1}',
      other: '{"own":2}',
    });
  });
});

describe('a time as a bound of stored history', () => {
  test.each([0, 1, ARRIVAL_TIME_MAX])('%i can be stored', (timeMs) => {
    expect(storedTimeFault(timeMs)).toBeUndefined();
  });

  test.each([-1, ARRIVAL_TIME_MAX + 1, Number.NaN])(
    '%d lies outside what the keys of pages hold',
    (timeMs) => {
      expect(storedTimeFault(timeMs)).toBe(
        'must lie between 1970-01-01T00:00:00.000Z and 2286-11-20T17:46:39.999Z: nothing can be stored outside',
      );
    },
  );
});
