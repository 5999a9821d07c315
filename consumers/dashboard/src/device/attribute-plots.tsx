import type { Basis, EventJson, SeriesAnswer, WholeDevice } from '@twinstream/api-contract';
import { useEffect, useMemo, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { readSeries } from '../api/query-api.ts';
import type { Failure } from '../api/request.ts';
import { timeOfBasis } from '../model/event.ts';
import { readNames, writeNames } from '../model/fleet-query.ts';
import { columnsOf, intervalOf, numericNames, type SeriesColumns } from '../model/series-columns.ts';
import { countText, valueText } from '../model/value-text.ts';
import { ChangeFailure } from '../parts/failure.tsx';
import { Menu } from '../parts/menu.tsx';
import { Plot } from '../parts/plot.tsx';
import { navigate, parameters } from '../session/address.ts';
import { canPoll } from '../session/connection.ts';
import { summary } from '../session/summary-session.ts';
import { StatusTimeline } from './status-timeline.tsx';
import { goToMoment } from './time-slider.tsx';
import { showWindow } from './window-menu.tsx';

/** Plots shown before the rest is asked for. */
const PLOTS_FIRST = 6;
const PLOT_HEIGHT = 120;
const TOGETHER_HEIGHT = 220;
/** Attributes of one plot: as many as there are colours. */
const TOGETHER_MAX = 6;
/** A window that follows the clock is read again so often. */
const REREAD_MS = 15_000;
/** Silence for longer than this interrupts a line, before the thresholds are known. */
const SILENCE_MS = 900_000;

export interface AttributePlotsProps {
  readonly device: WholeDevice;
  readonly events: readonly EventJson[];
  /** The axis of time. */
  readonly basis: Basis;
  readonly fromMs: number;
  readonly toMs: number;
  readonly atMs: number | undefined;
}

interface SeriesState {
  readonly byName: ReadonlyMap<string, SeriesAnswer>;
  readonly failure?: Failure;
}

/** Series of some attributes over a window, as the history is stored now: read again as it moves on. */
function useSeries(
  deviceId: string,
  names: readonly string[],
  basis: Basis,
  [fromMs, toMs]: readonly [number, number],
): SeriesState {
  const [state, setState] = useState<SeriesState>({ byName: new Map() });
  const end = Math.ceil(toMs / REREAD_MS) * REREAD_MS;
  const wanted = writeNames(names);
  useEffect(() => {
    if (!canPoll.peek()) return;
    const closing = new AbortController();
    const query = { fromMs, toMs: end, intervalMs: intervalOf(end - fromMs), basis };
    const read = async (): Promise<void> => {
      const outcomes = await Promise.all(
        names.map((attribute) => readSeries(deviceId, { attribute, ...query }, closing.signal)),
      );
      if (closing.signal.aborted) return;
      const failure = outcomes.find(({ kind }) => kind === 'refused' || kind === 'unreachable');
      const answered = outcomes.flatMap((outcome) =>
        outcome.kind === 'answered' ? [[outcome.value.attribute, outcome.value] as const] : [],
      );
      setState({
        byName: new Map(answered),
        ...(failure?.kind === 'refused' || failure?.kind === 'unreachable' ? { failure } : {}),
      });
    };
    void read();
    return () => closing.abort();
  }, [deviceId, wanted, basis, fromMs, end]);
  return state;
}

/** How long the device may be silent before it counts as offline, in milliseconds. */
function silenceMsOf({ labels }: WholeDevice): number {
  const thresholds = summary.value?.thresholds;
  const { type } = labels;
  const own =
    type === undefined || thresholds === undefined || !Object.hasOwn(thresholds.byType, type)
      ? undefined
      : thresholds.byType[type];
  return (own ?? thresholds?.default)?.offlineAfterMs ?? SILENCE_MS;
}

/** Numeric attributes over time, each in a plot of its own or some in one. A click goes to that moment, a drag to that window. */
export function AttributePlots({ device, events, basis, fromMs, toMs, atMs }: AttributePlotsProps) {
  const [isWhole, setIsWhole] = useState(false);
  const together = readNames(parameters.value.get('together')).slice(0, TOGETHER_MAX);
  const numeric = useMemo(() => numericNames(events), [events]);
  const shown = isWhole ? numeric : numeric.slice(0, PLOTS_FIRST);
  const { byName, failure } = useSeries(device.deviceId, [...new Set([...together, ...shown])], basis, [
    fromMs,
    toMs,
  ]);
  const silenceMs = silenceMsOf(device);
  const lines = useMemo(
    () =>
      new Map(
        [...byName].map(([name, answer]) => [
          name,
          columnsOf(answer, silenceMs, Math.min(toMs, Date.parse(answer.to))),
        ]),
      ),
    [byName, silenceMs, toMs],
  );
  const joined = useMemo(() => joinedOf(together, lines), [together.join('\n'), lines]);
  const common = {
    format: valueText,
    isStepped: true,
    span: [fromMs / 1_000, toMs / 1_000],
    syncKey: 'device',
    onPick: (time: number) => goToMoment(Math.round(time * 1_000)),
    onZoom: (from: number, to: number) => showWindow(Math.round(from * 1_000), Math.round(to * 1_000)),
    ...(atMs === undefined ? {} : { mark: atMs / 1_000 }),
  } as const;
  const isAnyLine = shown.some((name) => (lines.get(name)?.times.length ?? 0) > 0);
  return (
    <>
      <StatusTimeline
        events={events}
        timeOf={timeOfBasis(basis)}
        fromMs={fromMs}
        toMs={toMs}
        silenceMs={silenceMs}
      />
      <ChangeFailure failure={failure} />
      {[...byName.values()].some(({ isComplete }) => !isComplete) && (
        <p class="muted">More events are stored than one answer reads: the end of a line may lack some.</p>
      )}
      {numeric.length > 1 && <TogetherMenu names={numeric} chosen={together} />}
      {joined !== undefined && (
        <Plot
          key={together.join('\n')}
          label={`${together.join(', ')} in one plot`}
          times={joined.times}
          series={joined.series}
          height={TOGETHER_HEIGHT}
          {...common}
        />
      )}
      <div class="plots">
        {shown.map((name) => {
          const line = lines.get(name);
          if (line === undefined || line.times.length === 0) return null;
          return (
            <Plot
              key={name}
              label={describe(name, line)}
              times={line.times}
              series={[{ label: name, values: line.values }]}
              height={PLOT_HEIGHT}
              {...common}
            />
          );
        })}
      </div>
      {!isAnyLine && <p class="empty">No numeric attribute has changed in this stretch of history.</p>}
      {numeric.length > PLOTS_FIRST && (
        <button type="button" class="button is-quiet" onClick={() => setIsWhole(!isWhole)}>
          {isWhole ? 'Show fewer' : `Show all ${countText(numeric.length)}`}
        </button>
      )}
    </>
  );
}

/** Several lines over the times of all; undefined where there is nothing to draw. */
function joinedOf(names: readonly string[], lines: ReadonlyMap<string, SeriesColumns>) {
  const found = names.flatMap((name) => {
    const line = lines.get(name);
    return line === undefined || line.times.length === 0 ? [] : [{ name, line }];
  });
  if (found.length === 0) return undefined;
  const [times, ...values] = uPlot.join(found.map(({ line }) => [[...line.times], [...line.values]]));
  return {
    times: [...times],
    series: found.map(({ name }, index) => ({ label: name, values: [...(values[index] ?? [])] })),
  };
}

function TogetherMenu({
  names,
  chosen,
}: {
  readonly names: readonly string[];
  readonly chosen: readonly string[];
}) {
  const choose = (next: readonly string[]): void =>
    navigate({ together: next.length === 0 ? null : writeNames(next) }, 'replace');
  return (
    <div class="filters">
      <Menu label="In one plot" icon="reported" isOn={chosen.length > 0}>
        <fieldset>
          <legend>Attributes in one plot, up to {TOGETHER_MAX}</legend>
          {names.map((name) => (
            <label key={name} class="check">
              <input
                type="checkbox"
                checked={chosen.includes(name)}
                disabled={!chosen.includes(name) && chosen.length >= TOGETHER_MAX}
                onChange={(event) =>
                  choose(
                    event.currentTarget.checked ? [...chosen, name] : chosen.filter((one) => one !== name),
                  )
                }
              />
              {name}
            </label>
          ))}
        </fieldset>
      </Menu>
    </div>
  );
}

function describe(name: string, { values }: SeriesColumns): string {
  const numbers = values.filter((value) => value !== null);
  const last = numbers.at(-1);
  if (last === undefined) return name;
  const low = numbers.reduce((a, b) => Math.min(a, b));
  const high = numbers.reduce((a, b) => Math.max(a, b));
  return `${name}: last ${valueText(last)}, between ${valueText(low)} and ${valueText(high)}`;
}
