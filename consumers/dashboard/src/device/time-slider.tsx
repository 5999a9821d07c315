import type { EventJson } from '@twinstream/api-contract';
import { BASES, type Basis } from '@twinstream/api-contract/values';
import { useMemo } from 'preact/hooks';
import { arrivalMs } from '../model/event.ts';
import { densityOf, NEWEST, neighbourTime, TIME_WINDOWS } from '../model/time-window.ts';
import { exactMomentText } from '../model/time-zone.ts';
import { Icon } from '../parts/icon.tsx';
import { Moment } from '../parts/time.tsx';
import { navigate, zone } from '../session/address.ts';

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
}

export function goToMoment(timeMs: number | undefined): void {
  navigate({ at: timeMs === undefined ? null : new Date(timeMs).toISOString() }, 'replace');
}

function Density({ events, fromMs, toMs }: Pick<TimeSliderProps, 'events' | 'fromMs' | 'toMs'>) {
  const counts = useMemo(() => {
    const times = events.map(arrivalMs);
    return densityOf(times, fromMs, toMs, PARTS);
  }, [events, fromMs, toMs]);
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

const BASIS_TEXT: Readonly<Record<Basis, string>> = {
  arrival: 'as of arrival',
  'event-time': 'as of event time',
};

/** Which of the two meanings a past state has: they differ where events came late. */
function BasisChoice({ basis }: { readonly basis: Basis }) {
  return (
    <label class="choice" title="They differ where events came late, or were corrected.">
      <span class="choice-label">State</span>
      <select
        value={basis}
        onChange={(event) => {
          const { value } = event.currentTarget;
          navigate({ basis: value === BASES[0] ? null : value }, 'replace');
        }}
      >
        {BASES.map((name) => (
          <option key={name} value={name}>
            {BASIS_TEXT[name]}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Turns back time: by drag to any moment, by the arrow keys from event to event. */
export function TimeSlider({ events, fromMs, toMs, atMs, windowName, basis }: TimeSliderProps) {
  const times = useMemo(() => {
    const sorted = events.map(arrivalMs).sort((a, b) => a - b);
    return sorted.filter((time, index) => time !== sorted[index - 1]);
  }, [events]);
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
  const valueText = atMs === undefined ? 'now' : exactMomentText(atMs, zone.value);
  return (
    <section class={`card slider-card ${atMs === undefined ? '' : 'is-past'}`} aria-label="Time">
      <div class="slider-line">
        <p class="slider-moment" aria-live="polite">
          <span class="slider-label">{atMs === undefined ? 'State now' : 'State at'}</span>{' '}
          {atMs !== undefined && <Moment time={atMs} exact />}
        </p>
        <div class="slider-buttons">
          {atMs !== undefined && <BasisChoice basis={basis} />}
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
                navigate({ window: value === NEWEST ? null : value }, 'replace');
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
        </div>
      </div>
      <Density events={events} fromMs={fromMs} toMs={toMs} />
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
        <span>now</span>
      </div>
    </section>
  );
}
