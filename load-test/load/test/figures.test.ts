import { describe, expect, test } from 'vitest';
import { FIGURE_NAMES, type Figures, judge, parseExpectation } from '../src/figures.ts';

const figures = (some: Partial<Figures>): Figures => ({
  ...(Object.fromEntries(FIGURE_NAMES.map((name) => [name, null])) as Figures),
  ...some,
});

describe('a bar', () => {
  test.each([
    ['p99Ms<2000', 1_999.9, true],
    ['p99Ms<2000', 2_000, false],
    ['p99Ms <= 2000', 2_000, true],
    ['acknowledgedPerSecond>=500', 499, false],
    ['acknowledgedPerSecond>500', 501, true],
  ])('%s is judged on %d as %s', (text, value, met) => {
    const expectation = parseExpectation(text);
    expect(judge(expectation, figures({ [expectation.figure]: value }))).toMatchObject({ value, met });
  });

  test('is missed by a figure that was not measured', () => {
    expect(judge(parseExpectation('p99Ms<2000'), figures({}))).toMatchObject({ value: null, met: false });
  });

  test.each(['p99Ms', 'p99Ms=3', 'p98Ms<3', 'p99Ms<fast', ''])('is refused where it is none: %j', (text) => {
    expect(() => parseExpectation(text)).toThrow(expect.objectContaining({ code: 'INVALID_USAGE' }));
  });
});
