import { signal } from '@preact/signals';
import type { DeviceJson } from '@twinstream/api-contract';
import { LIMIT_MAX } from '@twinstream/api-contract/values';
import { useEffect, useMemo } from 'preact/hooks';
import { listDevices } from '../api/query-api.ts';
import type { Failure } from '../api/request.ts';
import { FilterBar } from '../fleet/filter-bar.tsx';
import { timeOfBasis } from '../model/event.ts';
import type { FleetQuery } from '../model/fleet-query.ts';
import { positionOf, trackOf } from '../model/position.ts';
import { countText } from '../model/value-text.ts';
import { GeoMap, type MapPoint } from '../parts/geo-map.tsx';
import { Health } from '../parts/health.tsx';
import { Link } from '../parts/link.tsx';
import { FailureNotice, Notice, StaleNote } from '../parts/notice.tsx';
import { Age } from '../parts/time.tsx';
import { fleetQuery, LEAVE, navigate, parameters } from '../session/address.ts';
import { noteAnswer, noteAsOf, noteFailure } from '../session/connection.ts';
import { type DeviceHistory, openHistory } from '../session/device-history.ts';
import { startPoll } from '../session/poll.ts';

/** Devices that are read for the map. */
const DEVICES_MAX = 20_000;
/** Between two reads, for each thousand devices. */
const POLL_MS_PER_PAGE = 5_000;

const devices = signal<readonly DeviceJson[] | undefined>(undefined);
const total = signal(0);
const failure = signal<Failure | undefined>(undefined);

async function readDevices(query: FleetQuery, signal: AbortSignal): Promise<void> {
  const { sort: _sort, order: _order, ...filter } = query;
  const read: DeviceJson[] = [];
  let cursor: string | undefined;
  do {
    const outcome = await listDevices(filter, { limit: LIMIT_MAX, cursor }, signal);
    if (outcome.kind === 'aborted') return;
    if (outcome.kind !== 'answered') {
      failure.value = outcome;
      noteFailure(outcome);
      return;
    }
    read.push(...outcome.value.devices);
    cursor = outcome.value.cursor;
    total.value = outcome.value.total;
    noteAnswer(outcome.serverTime);
    noteAsOf('map', Date.parse(outcome.value.asOf));
  } while (cursor !== undefined && read.length < DEVICES_MAX);
  failure.value = undefined;
  devices.value = read;
}

function useTrack(deviceId: string | null): DeviceHistory | undefined {
  const history = useMemo(() => (deviceId === null ? undefined : openHistory(deviceId)), [deviceId]);
  useEffect(() => {
    history?.setWindow(undefined);
    return history?.close;
  }, [history]);
  return history;
}

/** Where the devices of a filter are, and where one of them was. */
export function MapView() {
  const query = fleetQuery.value;
  const selected = parameters.value.get('selected');
  const history = useTrack(selected);
  useEffect(
    () =>
      startPoll({
        everyMs: () => POLL_MS_PER_PAGE * Math.max(1, Math.ceil((devices.peek()?.length ?? 0) / LIMIT_MAX)),
        run: (signal) => readDevices(query, signal),
      }),
    [query],
  );
  const all = devices.value;
  const points = useMemo(
    () =>
      (all ?? []).flatMap(({ deviceId, liveness, attributes }): MapPoint[] => {
        const position = positionOf(attributes);
        return position === undefined ? [] : [{ deviceId, liveness, ...position }];
      }),
    [all],
  );
  const events = history?.events.value;
  const track = useMemo(() => trackOf(events ?? [], timeOfBasis('event-time')), [events]);
  const device = all?.find(({ deviceId }) => deviceId === selected);
  const label = `Map: ${countText(points.length)} of ${countText(all?.length ?? 0)} devices have a position`;
  return (
    <main id="main" class="map-view" tabIndex={-1}>
      <div class="view-title">
        <h1>Map</h1>
        <p class="muted" role="status">
          {all === undefined
            ? 'reading'
            : `${countText(points.length)} of ${countText(total.value)} devices have a position`}
          {total.value > DEVICES_MAX && `; the first ${countText(DEVICES_MAX)} were read: narrow the filter`}
        </p>
      </div>
      <FilterBar />
      <StaleNote failure={all === undefined ? undefined : failure.value} />
      {all === undefined && failure.value !== undefined && (
        <FailureNotice failure={failure.value} what="The fleet" />
      )}
      <div class="map-line">
        <label class="choice">
          <span class="choice-label">Device</span>
          <select
            value={selected ?? ''}
            onChange={(event) => navigate({ selected: event.currentTarget.value || null }, 'replace')}
          >
            <option value="">none</option>
            {points.slice(0, LIMIT_MAX).map(({ deviceId }) => (
              <option key={deviceId} value={deviceId}>
                {deviceId}
              </option>
            ))}
          </select>
        </label>
        {device !== undefined && (
          <>
            <Link to={{ ...LEAVE, device: device.deviceId }} class="button">
              Open {device.deviceId}
            </Link>
            <Health device={device} />
            <span class="muted">
              heard <Age time={device.lastArrivalTime} /> ago, {countText(track.length)} positions on its
              track
            </span>
          </>
        )}
      </div>
      {all !== undefined && points.length === 0 ? (
        <Notice icon="search" title="No device of this filter has a position">
          A position is the attributes latitude and longitude, or an attribute that has them.
        </Notice>
      ) : (
        <GeoMap
          label={label}
          points={points}
          track={track}
          selected={selected ?? undefined}
          onPick={(deviceId) => navigate({ selected: deviceId }, 'replace')}
        />
      )}
    </main>
  );
}
