import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { collectedOutput } from '../src/collected-output.ts';
import { liveLine } from '../src/live-line.ts';

const CLEAR = '\r\u001b[K';
let shown = 0;
const textOf = () => {
  shown += 1;
  return `${shown} of 20 events`;
};

beforeEach(() => {
  shown = 0;
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

describe('progress', () => {
  test('is one line on a terminal, cut to its width, below the notes, and gone at the end', () => {
    const output = collectedOutput({ columns: 11 });
    const line = liveLine(output, { textOf, refreshMs: 200 });
    vi.advanceTimersByTime(200);
    line.note('line 2 is invalid');
    line.close();
    vi.advanceTimersByTime(1_000);
    expect(output.text()).toBe(`${CLEAR}1 of 20 e…${CLEAR}line 2 is invalid\n${CLEAR}`);
  });

  test('is not shown in a pipe, which has the notes alone', () => {
    const output = collectedOutput();
    const line = liveLine(output, { textOf, refreshMs: 200 });
    vi.advanceTimersByTime(1_000);
    line.note('line 2 is invalid');
    line.close();
    expect(output.text()).toBe('line 2 is invalid\n');
  });

  test('is lines for a program where the command has such', () => {
    const output = collectedOutput();
    const inPipe = { textOf: () => '{"read":1}', everyMs: 400 };
    const line = liveLine(output, { textOf, refreshMs: 200, inPipe });
    vi.advanceTimersByTime(1_000);
    line.close();
    vi.advanceTimersByTime(1_000);
    expect(output.text()).toBe('{"read":1}\n{"read":1}\n');
  });
});
