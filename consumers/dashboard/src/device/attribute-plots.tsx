import type { EventJson } from '@twinstream/api-contract';
import { useMemo, useState } from 'preact/hooks';
import { numericSeriesOf } from '../model/numeric-series.ts';
import { countText, valueText } from '../model/value-text.ts';
import { Plot } from '../parts/plot.tsx';
import { goToMoment } from './time-slider.tsx';

/** Plots shown before the rest is asked for. */
const PLOTS_FIRST = 6;
const PLOT_HEIGHT = 120;

export interface AttributePlotsProps {
  readonly events: readonly EventJson[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly atMs: number | undefined;
}

/** Every numeric attribute over time. A click on a plot turns time back to there. */
export function AttributePlots({ events, fromMs, toMs, atMs }: AttributePlotsProps) {
  const [isWhole, setIsWhole] = useState(false);
  const drawn = useMemo(
    () =>
      numericSeriesOf(events).map(({ name, times, values, asides }) => ({
        name,
        // The last value holds until now.
        times: [...times, toMs].map((time) => time / 1_000),
        series: [
          { label: name, values: [...values, values.at(-1) ?? null] },
          { label: 'late or corrected', values: [...asides, null], isPoints: true },
        ],
        label: describe(name, values),
      })),
    [events, toMs],
  );
  if (drawn.length === 0)
    return <p class="empty">No numeric attribute has changed in this stretch of history.</p>;
  const shown = isWhole ? drawn : drawn.slice(0, PLOTS_FIRST);
  return (
    <>
      <div class="plots">
        {shown.map(({ name, times, series, label }) => (
          <Plot
            key={name}
            label={label}
            times={times}
            series={series}
            format={valueText}
            height={PLOT_HEIGHT}
            isStepped
            span={[fromMs / 1_000, toMs / 1_000]}
            {...(atMs === undefined ? {} : { mark: atMs / 1_000 })}
            syncKey="device"
            onPick={(time) => goToMoment(Math.round(time * 1_000))}
          />
        ))}
      </div>
      {drawn.length > PLOTS_FIRST && (
        <button type="button" class="button is-quiet" onClick={() => setIsWhole(!isWhole)}>
          {isWhole ? 'Show fewer' : `Show all ${countText(drawn.length)}`}
        </button>
      )}
    </>
  );
}

function describe(name: string, values: readonly (number | null)[]): string {
  const numbers = values.filter((value) => value !== null);
  const last = numbers.at(-1);
  if (last === undefined) return name;
  const low = numbers.reduce((a, b) => Math.min(a, b));
  const high = numbers.reduce((a, b) => Math.max(a, b));
  return `${name}: last ${valueText(last)}, between ${valueText(low)} and ${valueText(high)}, ${countText(numbers.length)} values`;
}
