import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { clockText } from '../model/time-zone.ts';
import { zone } from '../session/address.ts';
import { paletteVersion } from '../session/preferences.ts';
import { resolveColour, SERIES_COLOURS, seriesColour } from './palette.ts';

export interface PlotSeries {
  readonly label: string;
  /** Null: nothing; undefined: as before. */
  readonly values: readonly (number | null | undefined)[];
  /** Single points instead of a line. */
  readonly isPoints?: boolean;
}

export interface PlotProps {
  /** What the plot shows, for those who cannot see it. */
  readonly label: string;
  /** Seconds since 1970, rising. */
  readonly times: readonly number[];
  readonly series: readonly PlotSeries[];
  readonly format: (value: number) => string;
  readonly height: number;
  /** Values hold until the next one. */
  readonly isStepped?: boolean;
  /** The scale starts at zero and reaches up to this at least. */
  readonly topMin?: number;
  /** First and last moment drawn, in seconds; the data's own where absent. */
  readonly span?: readonly [number, number];
  /** A moment marked by a line, in seconds. */
  readonly mark?: number;
  /** Plots of one key move their cursors together. */
  readonly syncKey: string;
  /** Told the stretch that was dragged over, in seconds. */
  readonly onZoom?: (from: number, to: number) => void;
  /** Told the moment that was clicked, in seconds. */
  readonly onPick?: (time: number) => void;
}

/** A plot without a span of its own shows as much. */
const SPAN_SECONDS_MIN = 60;
/** Pixels that a drag goes at least. */
const DRAG_MIN = 8;
const CLICK_AFTER_DRAG_MS = 300;
const FONT = '11px system-ui, sans-serif';
/** Pixels that the axis of values takes at least, so that plots beside each other align. */
const VALUES_WIDTH_MIN = 52;
/** Pixels between the text of a value and the plot. */
const VALUES_GAP = 6;

const ruler = document.createElement('canvas').getContext('2d');

/** Pixels of the widest text of an axis. */
function widestText(texts: readonly string[]): number {
  if (ruler === null) return 0;
  ruler.font = FONT;
  return Math.max(0, ...texts.map((text) => ruler.measureText(text).width));
}

function axesOf(format: (value: number) => string, zoneName: string): uPlot.Axis[] {
  const common = {
    stroke: resolveColour('--text-muted'),
    font: FONT,
    grid: { stroke: resolveColour('--line'), width: 1 },
    ticks: { show: false },
    border: { show: false },
  };
  return [
    {
      ...common,
      size: 22,
      gap: 4,
      space: 70,
      grid: { show: false },
      values: (plot, ticks, _axis, _space, stepSeconds) =>
        // Without data there is no time that an axis could show.
        (plot.data[0].length === 0 ? [] : ticks).map((tick) =>
          axisText(uPlot.tzDate(new Date(tick * 1_000), zoneName), stepSeconds),
        ),
    },
    {
      ...common,
      size: (_plot, texts) => Math.max(VALUES_WIDTH_MIN, widestText(texts ?? []) + 2 * VALUES_GAP),
      gap: VALUES_GAP,
      space: 28,
      values: (_plot, ticks) => ticks.map((tick) => format(tick)),
    },
  ];
}

function seriesOf(props: PlotProps): uPlot.Series[] {
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  return props.series.map(({ label, isPoints = false }, index): uPlot.Series => {
    const stroke = resolveColour(isPoints ? '--stale' : seriesColour(index));
    return {
      label,
      stroke,
      width: 1.5,
      ...(index >= SERIES_COLOURS.length ? { dash: [5, 3] } : {}),
      ...(isPoints
        ? { paths: () => null, points: { show: true, size: 7, fill: stroke } }
        : { points: { show: false }, ...(props.isStepped && stepped ? { paths: stepped } : {}) }),
    };
  });
}

/** A line across the plot at the marked moment. */
function drawMark(plot: uPlot, mark: number | undefined): void {
  if (mark === undefined) return;
  const x = Math.round(plot.valToPos(mark, 'x', true));
  if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) return;
  const { ctx } = plot;
  ctx.save();
  ctx.strokeStyle = resolveColour('--accent');
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x, plot.bbox.top);
  ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
  ctx.stroke();
  ctx.restore();
}

function dataOf({ times, series }: PlotProps): uPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])];
}

/** Lines over time. Redrawn in place as data comes; built again only where colours, series or zone change. */
export function Plot(props: PlotProps) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [cursorIndex, setCursorIndex] = useState<number | undefined>(undefined);
  const names = props.series.map(({ label }) => label).join('\n');
  const palette = paletteVersion.value;
  const zoneNow = zone.value;

  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    let zoomed = 0;
    const select = (self: uPlot): void => {
      const { left, width } = self.select;
      if (width < DRAG_MIN) return;
      zoomed = performance.now();
      self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
      latest.current.onZoom?.(self.posToVal(left, 'x'), self.posToVal(left + width, 'x'));
    };
    const made = new uPlot(
      {
        width: Math.max(element.clientWidth, 50),
        height: props.height,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), zoneNow),
        legend: { show: false },
        cursor: {
          sync: { key: props.syncKey },
          drag: { x: props.onZoom !== undefined, y: false, setScale: false, dist: DRAG_MIN },
          points: { size: 6 },
        },
        scales: {
          x: {
            time: true,
            range: () => [...(latest.current.span ?? spanOf(latest.current.times))] as [number, number],
          },
          y: { range: (_plot, min, max) => rangeOf(min, max, latest.current.topMin) },
        },
        axes: axesOf((value) => latest.current.format(value), zoneNow),
        series: [{}, ...seriesOf(props)],
        hooks: {
          setCursor: [(self) => setCursorIndex(self.cursor.idx ?? undefined)],
          draw: [(self) => drawMark(self, latest.current.mark)],
          setSelect: [select],
        },
      },
      dataOf(latest.current),
      element,
    );
    plot.current = made;
    const pick = (): void => {
      const { left } = made.cursor;
      // The end of a drag is a click, too.
      if (performance.now() - zoomed < CLICK_AFTER_DRAG_MS) return;
      if (left !== undefined && left >= 0) latest.current.onPick?.(made.posToVal(left, 'x'));
    };
    made.over.addEventListener('click', pick);
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height: props.height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [names, palette, zoneNow, props.height, props.syncKey]);

  useEffect(() => {
    plot.current?.setData(dataOf(props));
  }, [props.times, props.series, props.mark, props.span?.[0], props.span?.[1]]);

  const { mark } = props;
  const shownIndex =
    mark === undefined ? props.times.length - 1 : props.times.findLastIndex((time) => time <= mark);
  const index = cursorIndex ?? shownIndex;
  // Without a cursor or a mark it is the newest value, whose time says nothing.
  const time = cursorIndex === undefined && mark === undefined ? undefined : props.times[index];
  return (
    <figure class="plot">
      <figcaption class="plot-readout">
        <span class="plot-time">{time === undefined ? '' : clockText(time * 1_000, zoneNow)}</span>
        {props.series.map(({ label, values, isPoints }, number) => {
          const value = values[index];
          if (isPoints && (value === null || value === undefined)) return null;
          return (
            <span
              key={label}
              class={isPoints ? 'plot-key is-aside' : `plot-key series-${number % SERIES_COLOURS.length}`}
              {...(isPoints ? { title: label } : {})}
            >
              <span class={isPoints ? 'visually-hidden' : 'plot-name'}>{label}</span>{' '}
              {value === null || value === undefined ? '–' : props.format(value)}
            </span>
          );
        })}
      </figcaption>
      <div
        ref={holder}
        class={`plot-canvas ${props.onPick ? 'is-pickable' : ''}`}
        role="img"
        aria-label={props.label}
      />
    </figure>
  );
}

/** Room above and below the lines; a flat line lies in the middle, where the scale does not start at zero. */
function rangeOf(min: number | null, max: number | null, topMin: number | undefined): [number, number] {
  if (topMin !== undefined) return [Math.min(0, min ?? 0), Math.max(topMin, (max ?? 0) * 1.08)];
  if (min === null || max === null) return [0, 1];
  const span = max - min || Math.abs(max) || 1;
  const room = span * (max === min ? 0.1 : 0.08);
  return [min - room, max + room];
}

/** Where there is next to no data yet, the newest lies at the right end of a minute. Seconds. */
function spanOf(times: readonly number[]): readonly [number, number] {
  const last = times.at(-1) ?? SPAN_SECONDS_MIN;
  return [Math.min(times[0] ?? last, last - SPAN_SECONDS_MIN), last];
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Text of a tick: the day where it begins, else the time of day, with seconds where ticks are closer than minutes. */
function axisText(date: Date, stepSeconds: number): string {
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (stepSeconds < 60) return `${clock}:${two(date.getSeconds())}`;
  return clock === '00:00' ? day : clock;
}
