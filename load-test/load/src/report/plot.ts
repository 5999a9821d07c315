import type { Lines, LoadSeries, Point } from '../load-result.ts';

export interface PlotOptions {
  readonly title: string;
  readonly unit: string;
  readonly lines: Lines;
  /** Vertical lines: what was done to the pipeline. */
  readonly marks?: LoadSeries['marks'];
}

const [WIDTH, HEIGHT] = [760, 240];
const MARGIN = { left: 64, right: 12, top: 10, bottom: 28 };
const TICKS = 5;
const COLOURS = ['#0b6bcb', '#c2410c', '#15803d', '#7c3aed', '#be185d', '#0f766e', '#a16207', '#475569'];
const DASHES = ['', '6 3', '2 3'];

/** A plot of lines over time as SVG with its legend, for a page without scripts. */
export function plot({ title, unit, lines, marks = [] }: PlotOptions): string {
  const named = Object.entries(lines).filter(([, points]) => points.length > 0);
  if (named.length === 0)
    return `<figure><figcaption>${escapeHtml(title)}: nothing was measured</figcaption></figure>`;
  const points = named.flatMap(([, own]) => own);
  const xMax = points.reduce((most, [x]) => Math.max(most, x), 1);
  const yTicks = ticks(points.reduce((most, [, y]) => Math.max(most, y), 0));
  const yMax = yTicks.at(-1) ?? 1;
  const x = (value: number) => MARGIN.left + (value / xMax) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number) =>
    HEIGHT - MARGIN.bottom - (value / yMax) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const parts = [
    ...yTicks.map(
      (tick) =>
        `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at(y(tick))}" y2="${at(y(tick))}"/>` +
        `<text x="${MARGIN.left - 6}" y="${at(y(tick) + 4)}" text-anchor="end">${label(tick)}</text>`,
    ),
    ...ticks(xMax)
      .filter((tick) => tick <= xMax)
      .map(
        (tick) => `<text x="${at(x(tick))}" y="${HEIGHT - 8}" text-anchor="middle">${label(tick)} s</text>`,
      ),
    ...marks
      .filter(({ seconds }) => seconds >= 0 && seconds <= xMax)
      .map(
        ({ seconds, what }) =>
          `<line class="mark" x1="${at(x(seconds))}" x2="${at(x(seconds))}" y1="${MARGIN.top}" y2="${HEIGHT - MARGIN.bottom}"><title>${escapeHtml(`${what}, ${label(seconds)} s`)}</title></line>`,
      ),
    ...named.map(([name, own], index) => path(name, own, index, x, y)),
  ];
  const legend = named.map(([name], index) => legendEntry(name, index)).join('');
  return `<figure><figcaption>${escapeHtml(title)} <small>${escapeHtml(unit)}</small></figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">${parts.join('')}</svg><ul class="legend">${legend}</ul></figure>`;
}

function path(
  name: string,
  points: readonly Point[],
  index: number,
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  const d = points.map(([px, py], at0) => `${at0 === 0 ? 'M' : 'L'}${at(x(px))} ${at(y(py))}`).join('');
  return `<path d="${d}" stroke="${colourOf(index)}" stroke-dasharray="${dashOf(index)}"><title>${escapeHtml(name)}</title></path>`;
}

function legendEntry(name: string, index: number): string {
  return `<li><svg viewBox="0 0 24 8" aria-hidden="true"><path d="M0 4L24 4" stroke="${colourOf(index)}" stroke-dasharray="${dashOf(index)}"/></svg>${escapeHtml(name)}</li>`;
}

function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] ?? '#000';
}

function dashOf(index: number): string {
  return DASHES[Math.floor(index / COLOURS.length) % DASHES.length] ?? '';
}

/** Round numbers from 0 to the first at or above the highest value. */
export function ticks(highest: number): readonly number[] {
  const rough = (highest > 0 ? highest : 1) / TICKS;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = magnitude * ([1, 2, 5, 10].find((factor) => factor * magnitude >= rough) ?? 10);
  const count = Math.max(1, Math.ceil(highest / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function label(value: number): string {
  return Number(value.toPrecision(4)).toLocaleString('en-US');
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
