import type { EventJson } from '@twinstream/api-contract';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { originsOf } from '../model/attribute-origins.ts';
import { arrivalMs, type TimeOf, timeOfBasis } from '../model/event.ts';
import { NEWEST, windowSpanMs } from '../model/time-window.ts';
import { countText } from '../model/value-text.ts';
import { basisOf } from '../parts/basis-choice.tsx';
import { Json } from '../parts/json.tsx';
import { lazy } from '../parts/lazy.tsx';
import { FailureNotice, Notice, StaleNote } from '../parts/notice.tsx';
import { parameters } from '../session/address.ts';
import { now } from '../session/clock.ts';
import { type DeviceHistory, EVENTS_MAX, STRETCH_EVENTS } from '../session/device-history.ts';
import { type DeviceSession, openDevice } from '../session/device-session.ts';
import { AttributePlots } from './attribute-plots.tsx';
import { AttributesTable } from './attributes-table.tsx';
import { CompareChoice, useCompared } from './compare.tsx';
import { DeviceHead } from './device-head.tsx';
import { HistoryList } from './history-list.tsx';
import { RetireForm } from './retire-card.tsx';
import { TimeSlider } from './time-slider.tsx';

const TrackCard = lazy(async () => (await import('./track-card.tsx')).TrackCard);
const CorrectionForm = lazy(async () => (await import('./correction-form.tsx')).CorrectionForm);

/** The end of the span follows the clock in steps. */
const STEP_MS = 5_000;
/** Shortest span of the slider, so that a device with one event has one, too. */
const SPAN_MS_MIN = 1_000;

function useDeviceSession(deviceId: string): DeviceSession {
  const session = useMemo(() => openDevice(deviceId), [deviceId]);
  useEffect(() => session.close, [session]);
  return session;
}

/** The moment that the address asks for; undefined for now. */
function momentOf(at: string | null): number | undefined {
  const timeMs = Date.parse(at ?? '');
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

/** The span of slider and plots. Its end follows the clock in steps, so that plots are not redrawn each second. */
function spanOf(
  [oldestMs, newestMs]: readonly [number | undefined, number],
  windowMs: number | undefined,
  atMs: number | undefined,
): [number, number] {
  const to = Math.ceil(newestMs / STEP_MS) * STEP_MS;
  const from = windowMs === undefined ? (oldestMs ?? to) : to - windowMs;
  return [Math.min(from, atMs ?? from, to - SPAN_MS_MIN), to];
}

/** The first and last moment of events, whatever their order; undefined for none. */
function extentOf(events: readonly EventJson[], timeOf: TimeOf): readonly [number, number] | undefined {
  let extent: readonly [number, number] | undefined;
  for (const event of events) {
    const time = timeOf(event);
    extent = extent === undefined ? [time, time] : [Math.min(extent[0], time), Math.max(extent[1], time)];
  }
  return extent;
}

/** The window that the address names by its ends; undefined where it names none that has a length. */
function rangeOf(address: URLSearchParams): [number, number] | undefined {
  const [fromMs, toMs] = [momentOf(address.get('from')), momentOf(address.get('to'))];
  return fromMs === undefined || toMs === undefined || toMs <= fromMs ? undefined : [fromMs, toMs];
}

interface HistoryCardProps {
  readonly history: DeviceHistory;
  readonly atMs: number | undefined;
  readonly isWindowed: boolean;
  readonly timeOf: TimeOf;
  /** Duplicates of the device that were dropped: they are counted, not stored. */
  readonly duplicates: number;
}

function HistoryCard({ history, atMs, isWindowed, timeOf, duplicates }: HistoryCardProps) {
  const events = history.events.value;
  const isLoading = history.isLoading.value;
  const count = `${countText(events.length)} ${events.length === 1 ? 'event' : 'events'}`;
  return (
    <section class="card" aria-labelledby="history-title">
      <div class="card-line">
        <h2 id="history-title">History</h2>
        <p class="muted">
          {isLoading ? 'reading' : count}
          {!isLoading &&
            duplicates > 0 &&
            `, ${countText(duplicates)} ${duplicates === 1 ? 'duplicate' : 'duplicates'} dropped in all`}
          {!isLoading && events.length >= EVENTS_MAX && ', older ones not shown'}
        </p>
        {history.isCut.value && (
          <button type="button" class="button" disabled={isLoading} onClick={() => void history.readOlder()}>
            Read {countText(STRETCH_EVENTS)} older ones
          </button>
        )}
      </div>
      <StaleNote failure={history.failure.value} />
      {!isLoading && events.length === 0 && history.failure.value === undefined && (
        <p class="empty">
          {isWindowed ? 'No event arrived in this stretch of history.' : 'No event is stored.'}
        </p>
      )}
      {events.length > 0 && <HistoryList events={events} atMs={atMs} timeOf={timeOf} />}
    </section>
  );
}

function Loaded({ session, windowName }: { readonly session: DeviceSession; readonly windowName: string }) {
  const device = session.device.value;
  const { history } = session;
  const [isCorrecting, setIsCorrecting] = useState(false);
  const [isRetiring, setIsRetiring] = useState(false);
  const events = history.events.value;
  const atMs = momentOf(parameters.value.get('at'));
  const past = session.past.value;
  const compared = useCompared(session.deviceId);
  const first = events[0];
  const basis = basisOf(parameters.value.get('basis'));
  const timeOf = timeOfBasis(basis);
  const oldest = first === undefined ? undefined : arrivalMs(first);
  const extent = useMemo(() => extentOf(events, timeOf), [events, timeOf]);
  const chosen = rangeOf(parameters.value);
  // By the clock of the device the newest event is the end: it may be years ago.
  const newest = basis === 'arrival' ? now.value : (extent?.[1] ?? now.value);
  const [fromMs, toMs] = chosen ?? spanOf([extent?.[0], newest], windowSpanMs(windowName), atMs);
  const origins = useMemo(() => originsOf(events, atMs), [events, atMs]);
  if (device === undefined) return null;
  const shown = atMs === undefined ? device : past?.device;
  return (
    <>
      <TimeSlider
        events={events}
        fromMs={fromMs}
        toMs={toMs}
        atMs={atMs}
        windowName={windowName}
        basis={basis}
        timeOf={timeOf}
      />
      <div class="device-columns">
        <section
          class={`card ${session.isPastLoading.value ? 'is-loading' : ''}`}
          aria-labelledby="attributes-title"
        >
          <div class="card-line">
            <h2 id="attributes-title">Attributes</h2>
            <CompareChoice />
          </div>
          {compared?.failure !== undefined && (
            <FailureNotice failure={compared.failure} what="The state to compare with" />
          )}
          {shown !== undefined && (
            <AttributesTable
              shown={shown}
              compared={
                compared?.state ?? (atMs === undefined || compared !== undefined ? undefined : { device })
              }
              origins={origins}
              historyFrom={oldest}
              atMs={atMs}
            />
          )}
          {atMs !== undefined && past?.failure !== undefined && (
            <FailureNotice failure={past.failure} what="The state then" />
          )}
        </section>
        <section class="card" aria-labelledby="plots-title">
          <h2 id="plots-title">Over time</h2>
          {history.isLoading.value && events.length === 0 ? (
            <p class="empty">Reading history…</p>
          ) : (
            <AttributePlots
              device={device}
              events={events}
              basis={basis}
              fromMs={fromMs}
              toMs={toMs}
              atMs={atMs}
            />
          )}
        </section>
      </div>
      <TrackCard device={device} events={events} timeOf={timeOf} fromMs={fromMs} toMs={toMs} atMs={atMs} />
      <details class="card" onToggle={(event) => setIsCorrecting(event.currentTarget.open)}>
        <summary>Correct attributes</summary>
        {isCorrecting && <CorrectionForm device={device} events={events} />}
      </details>
      <details class="card" onToggle={(event) => setIsRetiring(event.currentTarget.open)}>
        <summary>{device.retired === true ? 'Bring the device back' : 'Retire the device'}</summary>
        {isRetiring && <RetireForm device={device} />}
      </details>
      <HistoryCard
        history={history}
        timeOf={timeOf}
        atMs={atMs}
        isWindowed={chosen !== undefined || windowSpanMs(windowName) !== undefined}
        duplicates={device.counts.duplicates}
      />
      <details class="card">
        <summary>State as JSON</summary>
        <Json label="State as JSON" value={shown} />
      </details>
    </>
  );
}

/** One device: its state now or at any past moment, and its history. */
export function DeviceView({ deviceId }: { readonly deviceId: string }) {
  const session = useDeviceSession(deviceId);
  const at = parameters.value.get('at');
  const windowName = parameters.value.get('window') ?? NEWEST;
  const [from, to] = [parameters.value.get('from'), parameters.value.get('to')];
  const isByClock = basisOf(parameters.value.get('basis')) === 'event-time';
  useEffect(() => {
    const range = rangeOf(parameters.peek());
    const windowMs = windowSpanMs(windowName);
    // The API finds events by arrival: by the clock of the device the newest are shown, whatever the window.
    if (isByClock) session.history.setWindow(undefined);
    else if (range !== undefined) session.history.setWindow({ fromMs: range[0], toMs: range[1] });
    else session.history.setWindow(windowMs === undefined ? undefined : { windowMs });
  }, [session, windowName, from, to, isByClock]);
  const basis = basisOf(parameters.value.get('basis'));
  useEffect(
    () => session.setMoment(momentOf(at) === undefined || at === null ? undefined : { at, basis }),
    [session, at, basis],
  );
  const device = session.device.value;
  const failure = session.failure.value;
  return (
    <main id="main" class="device-view" tabIndex={-1}>
      <DeviceHead deviceId={deviceId} device={device} />
      {device !== undefined && <StaleNote failure={failure} />}
      {device === undefined && failure !== undefined && <FailureNotice failure={failure} what="The device" />}
      {device === undefined && failure === undefined && (
        <Notice icon="polling" title="Reading the device">
          The first answer is on its way.
        </Notice>
      )}
      <Loaded session={session} windowName={windowName} />
    </main>
  );
}
