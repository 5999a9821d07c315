import { expect, test } from 'vitest';
import { mergeExpositions } from '../src/index.ts';

const ONE = `# HELP process_cpu_seconds_total Processor time.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total{process="a"} 1

# HELP requests_seconds Durations.
# TYPE requests_seconds histogram
requests_seconds_bucket{le="1"} 2
requests_seconds_sum 0.5
requests_seconds_count 2
`;
const OTHER = `# HELP process_cpu_seconds_total Processor time.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total{process="b"} 3
`;

test('lines of a metric that several texts have stand together, below one description', () => {
  expect(mergeExpositions([ONE, OTHER]).split('\n')).toEqual([
    '# HELP process_cpu_seconds_total Processor time.',
    '# TYPE process_cpu_seconds_total counter',
    'process_cpu_seconds_total{process="a"} 1',
    'process_cpu_seconds_total{process="b"} 3',
    '# HELP requests_seconds Durations.',
    '# TYPE requests_seconds histogram',
    'requests_seconds_bucket{le="1"} 2',
    'requests_seconds_sum 0.5',
    'requests_seconds_count 2',
    '',
  ]);
});

test('one text stays what it is, but for empty lines', () => {
  expect(mergeExpositions([ONE])).toBe(ONE.replace('\n\n', '\n'));
  expect(mergeExpositions([])).toBe('');
});

test('samples without a description are a metric of their own', () => {
  expect(mergeExpositions(['up 1\n', 'up{job="b"} 0\n', ONE])).toMatch(/^up 1\nup\{job="b"\} 0\n# HELP/);
});
