import { batch, effect, type ReadonlySignal, signal } from '@preact/signals';
import type { WholeDevice } from '@twinstream/api-contract';
import { type Moment, readDevice } from '../api/query-api.ts';
import type { Failure } from '../api/request.ts';
import { serverNow } from './clock.ts';
import { canPoll, link, noteAnswer, noteAsOf, noteFailure } from './connection.ts';
import { type DeviceHistory, openHistory } from './device-history.ts';
import { heardDevice } from './live-updates.ts';
import { startPoll } from './poll.ts';

const POLL_MS = 2_000;
/** Beside a stream, since liveness changes by silence. */
const POLL_BESIDE_STREAM_MS = 15_000;
/** Moving the time slider asks once it has rested so long. */
const REST_MS = 120;

export interface PastState {
  readonly moment: Moment;
  readonly device?: WholeDevice;
  readonly failure?: Failure;
}

/** One device, kept fresh until it is closed. */
export interface DeviceSession {
  readonly deviceId: string;
  readonly device: ReadonlySignal<WholeDevice | undefined>;
  readonly failure: ReadonlySignal<Failure | undefined>;
  readonly history: DeviceHistory;
  /** The state at the moment asked for last; undefined while now is shown. */
  readonly past: ReadonlySignal<PastState | undefined>;
  readonly isPastLoading: ReadonlySignal<boolean>;
  /** Shows the state at a moment; undefined: now. */
  setMoment(moment: Moment | undefined): void;
  close(): void;
}

export function openDevice(deviceId: string): DeviceSession {
  const device = signal<WholeDevice | undefined>(undefined);
  const failure = signal<Failure | undefined>(undefined);
  const past = signal<PastState | undefined>(undefined);
  const isPastLoading = signal(false);
  const history = openHistory(deviceId);
  const closing = new AbortController();
  let moving = new AbortController();
  let isRefreshing = false;
  let isRefreshWanted = false;

  async function refresh(signal: AbortSignal): Promise<void> {
    const outcome = await readDevice(deviceId, undefined, signal);
    if (outcome.kind === 'aborted') return;
    if (outcome.kind !== 'answered') {
      failure.value = outcome;
      noteFailure(outcome);
      return;
    }
    batch(() => {
      failure.value = undefined;
      device.value = outcome.value;
      noteAnswer(outcome.serverTime);
      noteAsOf('device', serverNow());
    });
    await history.catchUp(outcome.value.position);
  }

  /** Reads the device again because something was heard of it: one read at a time, however much is heard. */
  async function refreshSoon(): Promise<void> {
    isRefreshWanted = true;
    if (isRefreshing) return;
    isRefreshing = true;
    while (isRefreshWanted && !closing.signal.aborted) {
      isRefreshWanted = false;
      await refresh(closing.signal);
    }
    isRefreshing = false;
  }

  async function readPast(moment: Moment): Promise<void> {
    const { signal } = moving;
    isPastLoading.value = true;
    const outcome = await readDevice(deviceId, moment, signal);
    if (outcome.kind === 'aborted' || signal.aborted) return;
    batch(() => {
      isPastLoading.value = false;
      past.value =
        outcome.kind === 'answered' ? { moment, device: outcome.value } : { moment, failure: outcome };
    });
    if (outcome.kind !== 'answered') noteFailure(outcome);
  }

  const stopPolling = startPoll({
    everyMs: () => (link.peek().kind === 'live' ? POLL_BESIDE_STREAM_MS : POLL_MS),
    run: refresh,
  });
  const stopHearing = effect(() => {
    if (heardDevice.value?.deviceId === deviceId && canPoll.peek()) void refreshSoon();
  });
  // What was stored while the history was being read.
  const stopCatchingUp = effect(() => {
    if (!history.isLoading.value) void history.catchUp(device.peek()?.position ?? null);
  });
  return {
    deviceId,
    device,
    failure,
    history,
    past,
    isPastLoading,
    setMoment: (moment) => {
      moving.abort();
      moving = new AbortController();
      const { signal } = moving;
      if (moment === undefined) {
        past.value = undefined;
        isPastLoading.value = false;
        return;
      }
      setTimeout(() => {
        if (!signal.aborted) void readPast(moment);
      }, REST_MS);
    },
    close: () => {
      stopPolling();
      stopHearing();
      stopCatchingUp();
      closing.abort();
      moving.abort();
      history.close();
    },
  };
}
