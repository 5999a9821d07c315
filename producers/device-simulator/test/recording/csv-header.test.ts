import { describe, expect, test } from 'vitest';
import { delimiterOf, flatRows } from '../../src/recording/csv-header.ts';

const columns = { id: 'id', time: 'at' };

describe('the delimiter', () => {
  test.each([
    ['id,time,x', ','],
    ['id;time;x', ';'],
    ['id\ttime\tx', '\t'],
    ['id|time|x', '|'],
    ['id;"a,b,c,d,e";x', ';'],
    ['id', ','],
  ])('of the header %j is %j', (header, delimiter) => {
    expect(delimiterOf(header)).toBe(delimiter);
  });
});

describe('rows under a header', () => {
  test('have their id, time and type taken out, and everything else as data', () => {
    const row = flatRows(['at', 'kind', 'id', 'speed', 'on', 'note'], { ...columns, type: 'kind' });
    expect(row({ line: 4, cells: ['t', 'connected', ' 007 ', '0.0', 'true', ''] })).toEqual({
      line: 4,
      id: '007',
      time: 't',
      type: 'connected',
      session: undefined,
      counter: undefined,
      data: { speed: 0, on: true, note: null },
    });
  });

  test('are reported where no type is named, or the cell is empty', () => {
    expect(flatRows(['id', 'at'], columns)({ line: 2, cells: ['a', 't'] })).toMatchObject({
      type: 'reported',
    });
    const typed = flatRows(['id', 'at', 'kind'], { ...columns, type: 'kind' });
    expect(typed({ line: 2, cells: ['a', 't', ''] })).toMatchObject({ type: 'reported' });
  });

  test('lose no value to a name that is missing, taken or special', () => {
    const row = flatRows(['id', 'at', '', 'x', 'x', '__proto__', ' y '], columns);
    const flat = row({ line: 2, cells: ['a', 't', '1', '2', '3', '4', '5'] });
    expect('data' in flat && Object.entries(flat.data)).toEqual([
      ['column-3', 1],
      ['x', 2],
      ['x-5', 3],
      ['__proto__', 4],
      ['y', 5],
    ]);
  });

  test('keep every value when the name given to a column is that of another', () => {
    const row = flatRows(['id', 'at', 'c', 'c-5', 'c', '', 'column-6'], columns);
    const flat = row({ line: 2, cells: ['a', 't', '1', '2', '3', '4', '5'] });
    expect('data' in flat && Object.entries(flat.data)).toEqual([
      ['c', 1],
      ['c-5', 2],
      ['c-5-5', 3],
      ['column-6-6', 4],
      ['column-6', 5],
    ]);
  });

  test('are bad with more or fewer cells than the header has', () => {
    const row = flatRows(['id', 'at', 'x'], columns);
    expect(row({ line: 9, cells: ['a', 't'] })).toEqual({
      line: 9,
      reason: 'it has 2 cells where the header has 3',
    });
    expect(row({ line: 9, cells: ['a', 't', 'x', ''] })).toHaveProperty('reason');
  });

  test('are refused with the columns that there are when one is unknown', () => {
    expect(() => flatRows(['id', 'time', 'x'], columns)).toThrow(
      expect.objectContaining({
        code: 'UNKNOWN_COLUMN',
        message: 'there is no column "at"; there are: id, time, x',
      }),
    );
  });
});
