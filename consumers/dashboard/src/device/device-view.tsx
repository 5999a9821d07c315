import { BASES, type Basis } from '@twinstream/api-contract/values';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { originsOf } from '../model/attribute-origins.ts';
import { arrivalMs } from '../model/event.ts';
import { NEWEST, windowSpanMs } from '../model/time-window.ts';
import { countText } from '../model/value-text.ts';
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
import { TimeSlider } from './time-slider.tsx';

const TrackCard = lazy(async () => (await import('./track-card.tsx')).TrackCard);
const CorrectionForm = lazy(async () => (await import('./correction-form.tsx')).CorrectionForm);

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

function basisOf(basis: string | null): Basis {
  return BASES.find((known) => known === basis) ?? 'arrival';
}

/** The span of slider and plots. Its end follows the clock in steps, so that plots are not redrawn each second. */
function spanOf(
  oldestMs: number | undefined,
  windowMs: number | undefined,
  atMs: number | undefined,
  nowMs: number,
): [number, number] {
  const to = Math.ceil(nowMs / 5_000) * 5_000;
  const from = windowMs === undefined ? (oldestMs ?? to) : to - windowMs;
  return [Math.min(from, atMs ?? from, to - SPAN_MS_MIN), to];
}

interface HistoryCardProps {
  readonly history: DeviceHistory;
  readonly atMs: number | undefined;
  readonly isWindowed: boolean;
  /** Duplicates of the device that were dropped: they are counted, not stored. */
  readonly duplicates: number;
}

function HistoryCard({ history, atMs, isWindowed, duplicates }: HistoryCardProps) {
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
      {events.length > 0 && <HistoryList events={events} atMs={atMs} />}
    </section>
  );
}

function Loaded({ session, windowName }: { readonly session: DeviceSession; readonly windowName: string }) {
  const device = session.device.value;
  const { history } = session;
  const [isCorrecting, setIsCorrecting] = useState(false);
  const events = history.events.value;
  const atMs = momentOf(parameters.value.get('at'));
  const past = session.past.value;
  const compared = useCompared(session.deviceId);
  const first = events[0];
  const oldest = first === undefined ? undefined : arrivalMs(first);
  const [fromMs, toMs] = spanOf(oldest, windowSpanMs(windowName), atMs, now.value);
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
        basis={basisOf(parameters.value.get('basis'))}
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
            <AttributePlots events={events} fromMs={fromMs} toMs={toMs} atMs={atMs} />
          )}
        </section>
      </div>
      <TrackCard device={device} events={events} timeOf={arrivalMs} fromMs={fromMs} toMs={toMs} atMs={atMs} />
      <details class="card" onToggle={(event) => setIsCorrecting(event.currentTarget.open)}>
        <summary>Correct attributes</summary>
        {isCorrecting && <CorrectionForm device={device} events={events} />}
      </details>
      <HistoryCard
        history={history}
        atMs={atMs}
        isWindowed={windowSpanMs(windowName) !== undefined}
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
  useEffect(() => session.history.setWindow(windowSpanMs(windowName)), [session, windowName]);
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
