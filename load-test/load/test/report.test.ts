import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@twinstream/end-to-end';
import { afterAll, describe, expect, test } from 'vitest';
import { FIGURE_NAMES, type Figures } from '../src/figures.ts';
import type { LoadResult } from '../src/load-result.ts';
import { readResult } from '../src/load-result.ts';
import { compareResults, comparisonText } from '../src/report/comparison.ts';
import { htmlReport } from '../src/report/html-report.ts';
import { plot, ticks } from '../src/report/plot.ts';
import { textReport } from '../src/report/text-report.ts';

const folder = temporaryFolder();
afterAll(() => folder.dispose());

function result(p99Ms: number, violationCount = 0): LoadResult {
  const figures = { ...(Object.fromEntries(FIGURE_NAMES.map((name) => [name, 1])) as Figures), p99Ms };
  return {
    format: 'twinstream-load-test-1',
    date: '2026-11-23T00:00:00.000Z',
    machine: { cpu: 'c', cores: 2, memoryGiB: 4, node: 'v24', loadBefore: p99Ms },
    load: {
      scenario: 'steady',
      rate: 10,
      durationMs: 1_000,
      devices: 1,
      aggregate: false,
      shards: 4,
      seed: 1,
      dynamodb: 'dynalite',
    },
    subjects: [
      {
        subject: 'twinstream',
        figures,
        ledger: {
          devices: 1,
          sent: 10,
          stored: 9,
          duplicates: 0,
          late: 0,
          malformed: 0,
          pages: 2,
          archived: 10,
          violationCount,
          violationsByKind: violationCount === 0 ? {} : { lost: violationCount },
          violations: violationCount === 0 ? [] : [{ kind: 'lost', subject: '<device>' }],
        },
        simulator: {} as never,
        processes: [
          { name: 'p', cpuSeconds: 1, cpuShare: 0.5, memoryMaxMiB: 10, memorySlopeMiBPerMinute: null },
        ],
        series: {
          throughput: {
            due: [
              [0, 10],
              [1, 12],
            ],
          },
          latency: {},
          lag: {},
          memory: {},
          cpu: {},
          marks: [{ seconds: 0.5, what: 'kill -9 <it>' }],
        },
        notes: ['a & b'],
      },
    ],
    verdicts: [{ text: 'p99Ms<5', value: p99Ms, met: p99Ms < 5 }],
    passed: violationCount === 0 && p99Ms < 5,
  };
}

describe('the page', () => {
  const page = htmlReport(result(7, 2));

  test('loads nothing and runs nothing', () => {
    expect(page).not.toMatch(/<script|<link|src=|href=|url\(|@import|https?:/);
  });

  test('says what failed, and shows what others named as text', () => {
    expect(page).toContain('FAILED');
    expect(page).toContain('MISSED');
    expect(page).toContain('&lt;device&gt;');
    expect(page).not.toContain('<device>');
  });

  test('draws every line that has points', () => {
    expect(page.match(/<svg viewBox="0 0 760 240"/g)).toHaveLength(1);
    expect(page.match(/nothing was measured/g)).toHaveLength(4);
  });
});

test('a line of a plot goes through its points, within its frame', () => {
  const svg = plot({
    title: 't',
    unit: 'u',
    lines: {
      a: [
        [0, 0],
        [10, 100],
      ],
    },
  });
  expect(svg).toContain('d="M64 212L748 10"');
});

test.each([
  [0, [0, 0.2]],
  [7, [0, 2, 4, 6, 8]],
  [100, [0, 20, 40, 60, 80, 100]],
  [23_456, [0, 5_000, 10_000, 15_000, 20_000, 25_000]],
])('ticks up to %d are round numbers that reach it', (highest, expected) => {
  expect(ticks(highest)).toEqual(expected);
});

test('the text says whether it passed', () => {
  expect(textReport(result(3))).toMatch(/clean[\s\S]*met[\s\S]*passed\n$/);
  expect(textReport(result(7, 2))).toMatch(/VIOLATIONS: 2 lost[\s\S]*MISSED[\s\S]*FAILED\n$/);
});

test('a comparison gives the change of each figure, and in what the loads differ', () => {
  const after = { ...result(6), load: { ...result(6).load, rate: 20 } };
  const comparison = compareResults(result(3), after);
  expect(comparison.rows.find(({ figure }) => figure === 'p99Ms')).toMatchObject({
    before: 3,
    after: 6,
    ratio: 2,
  });
  expect(comparison.differs).toEqual(['load rate: 10 and 20']);
  expect(comparisonText(comparison)).toMatch(/twinstream\s+p99Ms\s+3\s+6\s+\+100\.0 %/);
});

test('a result that was written is read again, and nothing else is', () => {
  const path = join(folder.path, 'a.json');
  writeFileSync(path, JSON.stringify(result(3)));
  expect(readResult(path)).toEqual(result(3));
  writeFileSync(path, '{"format":"another"}');
  expect(() => readResult(path)).toThrow('is not a result of a load test');
  expect(() => readResult(join(folder.path, 'none.json'))).toThrow('cannot be read');
});
