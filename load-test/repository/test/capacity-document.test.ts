import { MEASURED_SPEEDS, readable } from '@twinstream/capacity';
import { expect, test } from 'vitest';
import { designRows, dollarRow, fleetRows, limitRows, paperRows } from './documents/capacity-tables.ts';
import { parseMarkdown, tableRows } from './documents/markdown.ts';
import { readText } from './documents/repository.ts';

const markdown = parseMarkdown(readText('docs/capacity-and-cost.md'));
const DIFFERENCE_MAX_PERCENT = 5;

test('the speeds that plans reckon with are the figures of the measurements', () => {
  const rows = tableRows(parseMarkdown(readText('docs/measurements.md')), '# Measurements');
  const figures = (what: string) =>
    (rows.find(([name]) => name?.startsWith(what)) ?? [])
      .slice(1, 3)
      .map((cell) => [...cell.matchAll(/\d+,\d{3}/g)].map(([text]) => Number(text.replace(',', ''))));
  const [[dense], [denseBaseline]] = [...figures('projector, 25 events'), [], []];
  const [ours = [], baseline = []] = figures('the same at 10, and at 1');
  expect(MEASURED_SPEEDS).toEqual([
    { eventsPerDevice: 1, twinstream: ours[1], baseline: baseline[1] },
    { eventsPerDevice: 10, twinstream: ours[0], baseline: baseline[0] },
    { eventsPerDevice: 25, twinstream: dense, baseline: denseBaseline },
  ]);
});

test('the table of fleets is what the command says', () => {
  expect(tableRows(markdown, '## Fleets')).toEqual(fleetRows());
});

test('the table of three designs is what the command says', () => {
  expect(tableRows(markdown, '## Three designs')).toEqual(designRows());
});

test('a user’s dollar is what the command says, and differs from the bill as the page says', () => {
  const rows = tableRows(markdown, '## A user’s dollar');
  expect(rows.map(([events]) => events)).toEqual(['1', '10', '25']);
  for (const [
    events,
    planned,
    billed,
    difference,
    dollars,
    baseline,
    theirs,
    theirDifference,
    cost,
  ] of rows) {
    const row = dollarRow(Number(events));
    expect(row.eventsPerPage).toBe(Number(events));
    expect([planned, dollars, baseline, cost]).toEqual([
      readable(row.plannedUnits),
      row.dollars,
      readable(row.baselineUnits),
      row.baselineDollars,
    ]);
    expect(difference).toBe(percentText(row.plannedUnits, Number(billed)));
    expect(theirDifference).toBe(percentText(row.baselineUnits, Number(theirs)));
    for (const text of [difference, theirDifference]) {
      expect(Math.abs(Number.parseFloat(text ?? ''))).toBeLessThanOrEqual(DIFFERENCE_MAX_PERCENT);
    }
  }
});

test('the loads on paper need what the command says', () => {
  expect(tableRows(markdown, '## On paper: 100,000 and 1,000,000 events a second')).toEqual(paperRows());
});

test('quotas break in the order, and at the loads, that follow from the plans', () => {
  const rows = tableRows(markdown, '## What breaks first');
  expect(rows).toEqual(limitRows());
  const loads = rows.map(([, load = '']) => Number(load.replaceAll(',', '')));
  expect(loads).toEqual([...loads].sort((a, b) => a - b));
});

function percentText(planned: number, billed: number): string {
  return `${(Math.abs(planned / billed - 1) * 100).toFixed(1)} %`;
}
