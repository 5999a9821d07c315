import type { EventJson } from '@twinstream/api-contract';
import type { Basis } from '@twinstream/api-contract/values';
import { useMemo } from 'preact/hooks';
import type { TimeOf } from '../model/event.ts';
import { densityOf, NEWEST, neighbourTime, TIME_WINDOWS } from '../model/time-window.ts';
import { exactMomentText } from '../model/time-zone.ts';
import { BasisChoice } from '../parts/basis-choice.tsx';
import { Icon } from '../parts/icon.tsx';
import { Moment } from '../parts/time.tsx';
import { navigate, parameters, zone } from '../session/address.ts';
import { WindowMenu } from './window-menu.tsx';

const PARTS = 160;
const PAGE_STEPS = 10;

export interface TimeSliderProps {
  readonly events: readonly EventJson[];
  readonly fromMs: number;
  readonly toMs: number;
  /** The moment shown; undefined for now. */
  readonly atMs: number | undefined;
  readonly windowName: string;
  readonly basis: Basis;
  readonly timeOf: TimeOf;
}

export function goToMoment(timeMs: number | undefined): void {
  navigate({ at: timeMs === undefined ? null : new Date(timeMs).toISOString() }, 'replace');
}

function Density({
  events,
  fromMs,
  toMs,
  timeOf,
}: Pick<TimeSliderProps, 'events' | 'fromMs' | 'toMs' | 'timeOf'>) {
  const counts = useMemo(() => {
    const times = events.map(timeOf);
    return densityOf(times, fromMs, toMs, PARTS);
  }, [events, fromMs, toMs, timeOf]);
  const most = Math.max(1, ...counts);
  let path = '';
  counts.forEach((count, part) => {
    if (count > 0) path += `M${part + 0.5} 24V${24 - Math.max(2, (22 * count) / most)}`;
  });
  return (
    <svg class="density" viewBox={`0 0 ${PARTS} 24`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

/** Turns back time: by drag to any moment, by the arrow keys from event to event. */
export function TimeSlider({ events, fromMs, toMs, atMs, windowName, basis, timeOf }: TimeSliderProps) {
  const times = useMemo(() => {
    const sorted = events.map(timeOf).sort((a, b) => a - b);
    return sorted.filter((time, index) => time !== sorted[index - 1]);
  }, [events, timeOf]);
  const shown = atMs ?? toMs;
  const step = (steps: number): void => {
    const target = neighbourTime(times, atMs ?? Number.POSITIVE_INFINITY, steps);
    goToMoment(steps > 0 ? target : (target ?? times[0] ?? fromMs));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageDown: -PAGE_STEPS,
      PageUp: PAGE_STEPS,
    };
    const wanted = steps[event.key];
    if (wanted !== undefined) step(wanted);
    else if (event.key === 'Home') goToMoment(times[0] ?? fromMs);
    else if (event.key === 'End') goToMoment(undefined);
    else return;
    event.preventDefault();
  };
  const isAbsolute = basis === 'event-time' || parameters.value.has('from');
  const valueText = atMs === undefined ? 'now' : exactMomentText(atMs, zone.value);
  return (
    <section class={`card slider-card ${atMs === undefined ? '' : 'is-past'}`} aria-label="Time">
      <div class="slider-line">
        <p class="slider-moment" aria-live="polite">
          <span class="slider-label">{atMs === undefined ? 'State now' : 'State at'}</span>{' '}
          {atMs !== undefined && <Moment time={atMs} exact />}
        </p>
        <div class="slider-buttons">
          <BasisChoice basis={basis} />
          <button type="button" class="button" onClick={() => step(-1)} disabled={times.length === 0}>
            <Icon name="back" />
            Earlier event
          </button>
          <button type="button" class="button" onClick={() => step(1)} disabled={atMs === undefined}>
            Later event
            <Icon name="next" />
          </button>
          <button
            type="button"
            class="button is-accent"
            onClick={() => goToMoment(undefined)}
            disabled={atMs === undefined}
          >
            Now
          </button>
          <label class="choice">
            <span class="choice-label">History</span>
            <select
              value={windowName}
              onChange={(event) => {
                const { value } = event.currentTarget;
                navigate({ window: value === NEWEST ? null : value, from: null, to: null }, 'replace');
              }}
            >
              <option value={NEWEST}>newest events</option>
              {TIME_WINDOWS.map(({ name, label }) => (
                <option key={name} value={name}>
                  last {label}
                </option>
              ))}
            </select>
          </label>
          <WindowMenu fromMs={fromMs} toMs={toMs} />
        </div>
      </div>
      <Density events={events} fromMs={fromMs} toMs={toMs} timeOf={timeOf} />
      <input
        type="range"
        class="slider"
        aria-label="Moment"
        aria-valuetext={valueText}
        min={fromMs}
        max={toMs}
        step={1}
        value={shown}
        onInput={(event) => {
          const { valueAsNumber } = event.currentTarget;
          goToMoment(valueAsNumber >= toMs ? undefined : valueAsNumber);
        }}
        onKeyDown={onKeyDown}
      />
      <div class="slider-ends" aria-hidden="true">
        <Moment time={fromMs} />
        {isAbsolute ? <Moment time={toMs} /> : <span>now</span>}
      </div>
    </section>
  );
}
