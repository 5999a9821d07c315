import type { DeviceJson } from '@twinstream/api-contract';
import { LABELS, PAST_DEVICES_MAX } from '@twinstream/api-contract/values';
import { useEffect, useMemo } from 'preact/hooks';
import { FilterBar } from '../fleet/filter-bar.tsx';
import { isFiltered } from '../model/fleet-query.ts';
import { openTroublesOf } from '../model/trouble.ts';
import { countText } from '../model/value-text.ts';
import { BasisChoice, basisOf } from '../parts/basis-choice.tsx';
import { Cell } from '../parts/cell.tsx';
import { Health, reportedText } from '../parts/health.tsx';
import { Icon } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { FailureNotice, Notice, StaleNote } from '../parts/notice.tsx';
import { Readings } from '../parts/readings.tsx';
import { Moment } from '../parts/time.tsx';
import { VirtualGrid } from '../parts/virtual-grid.tsx';
import { type AddressChange, fleetQuery, LEAVE, navigate, parameters } from '../session/address.ts';
import { hasRoom } from '../session/window-room.ts';
import { MomentForm, USUAL_MOMENT } from './moment-form.tsx';
import { isPastLoading, openPast, type PastFleet, pastFailure, pastFleet, readPast } from './past-session.ts';

const READINGS_MAX = 6;
const COLUMNS = [
  { key: 'device', title: 'Device', width: 'minmax(11.5rem, 1.4fr)' },
  { key: 'standing', title: 'Health', width: '12.5rem' },
  { key: 'heard', title: 'Last heard', width: '11rem' },
  { key: 'said', title: 'Reported status', width: '8.2rem', from: 'medium' },
  { key: 'site', title: 'Site', width: 'minmax(5.5rem, 0.8fr)' },
  { key: 'type', title: 'Type', width: 'minmax(5rem, 0.6fr)', from: 'medium' },
  { key: 'reads', title: 'Attributes', width: 'minmax(8rem, 4fr)' },
] as const;
type ColumnKey = (typeof COLUMNS)[number]['key'];
const place = { scrollTop: 0, activeRow: 0 };

/** To the device at this moment. */
function deviceAt(deviceId: string, { at, basis }: PastFleet['past']): AddressChange {
  return { view: null, device: deviceId, at, basis: basis === 'arrival' ? null : basis };
}

function cellOf(key: ColumnKey, device: DeviceJson, past: PastFleet['past']) {
  const { deviceId, labels, lastArrivalTime, attributes } = device;
  switch (key) {
    case 'device':
      return (
        <Link to={deviceAt(deviceId, past)} tabIndex={-1} title={deviceId}>
          {deviceId}
        </Link>
      );
    case 'standing':
      return <Health device={device} />;
    case 'heard':
      return lastArrivalTime === null ? <span class="muted">never</span> : <Moment time={lastArrivalTime} />;
    case 'said':
      return reportedText(device);
    case 'site':
    case 'type':
      return labels[key];
    case 'reads':
      return <Readings attributes={attributes} leftOut={LABELS} countMax={READINGS_MAX} />;
  }
}

function Rows({ fleet: { devices, past } }: { readonly fleet: PastFleet }) {
  const columns = COLUMNS.filter((column) => !('from' in column) || hasRoom(column.from));
  const open = (row: number): void => {
    const device = devices[row];
    if (device !== undefined) navigate(deviceAt(device.deviceId, past));
  };
  return (
    <VirtualGrid
      label="Devices then"
      class="fleet-grid"
      columns={columns.map(({ key, title }) => ({ key, header: title }))}
      rowCount={devices.length}
      itemOf={(row) => devices[row]}
      cells={(device) =>
        device !== undefined &&
        columns.map(({ key }) => (
          <Cell key={key} of={key}>
            {cellOf(key, device, past)}
          </Cell>
        ))
      }
      rowClass={(row) => {
        const device = devices[row];
        if (device === undefined) return '';
        return openTroublesOf(device).length > 0 ? 'in-trouble' : `of-${device.liveness}`;
      }}
      onOpen={open}
      widths={columns.map(({ width }) => width).join(' ')}
      topKey={past.at}
      place={place}
    />
  );
}

/** What was read so far, what it took, and what is left: a step reads on when it is asked for, and not before. */
function CostLine({ fleet, onMore }: { readonly fleet: PastFleet; readonly onMore: () => void }) {
  const { past, devices, devicesRead, reads, total, cursor } = fleet;
  const next = Math.min(PAST_DEVICES_MAX, total - devicesRead);
  return (
    <div class="past-line">
      <p role="status">
        As of {past.basis === 'arrival' ? 'arrival' : 'the device clock'} at{' '}
        <strong>
          <Moment time={past.at} exact />
        </strong>
        : {countText(devices.length)} of {countText(devicesRead)} devices, whose histories took{' '}
        {countText(reads)} reads.{' '}
        <span class="muted">
          {cursor === undefined
            ? 'These are all that are known now.'
            : `${countText(total)} are known now, and are read by id, ${PAST_DEVICES_MAX} at a time.`}
        </span>
      </p>
      {cursor !== undefined && (
        <button type="button" class="button is-accent" disabled={isPastLoading.value} onClick={onMore}>
          <Icon name="polling" />
          {isPastLoading.value ? 'Reading' : `Read the next ${countText(next)}`}
        </button>
      )}
    </div>
  );
}

function Content({ fleet, onMore }: { readonly fleet: PastFleet | undefined; readonly onMore: () => void }) {
  const failure = pastFailure.value;
  if (fleet === undefined) {
    return failure === undefined ? (
      <Notice icon="polling" title="Reading histories">
        The first answer is on its way.
      </Notice>
    ) : (
      <FailureNotice failure={failure} what="The fleet then" />
    );
  }
  return (
    <>
      <CostLine fleet={fleet} onMore={onMore} />
      <StaleNote failure={failure} />
      {fleet.devices.length > 0 ? (
        <Rows fleet={fleet} />
      ) : (
        <Notice icon="search" title="None of the devices read so far was there then, or met the filters">
          {fleet.cursor === undefined
            ? 'All that are known now were read.'
            : 'The next ones may: read on, or narrow nothing and choose another moment.'}
        </Notice>
      )}
    </>
  );
}

/** The fleet as it was at a moment, read from histories a step at a time. */
export function PastView() {
  const at = parameters.value.get('at') ?? USUAL_MOMENT;
  const basis = basisOf(parameters.value.get('basis'));
  const query = fleetQuery.value;
  const moment = useMemo(() => ({ at, basis }), [at, basis]);
  useEffect(() => openPast(query, moment), [query, moment]);
  const fleet = pastFleet.value;
  return (
    <main id="main" class="fleet-view past-view" tabIndex={-1}>
      <div class="view-title">
        <h1>The fleet in the past</h1>
        <p class="muted">
          Devices as their stored events say that they were. What operators said of them is not kept of the
          past. <Link to={{ ...LEAVE }}>Back to the present</Link>
        </p>
      </div>
      <div class="list-bar">
        <MomentForm at={at} resolved={fleet?.past.at} />
        <BasisChoice basis={basis} />
        <FilterBar isPast />
      </div>
      <Content fleet={fleet} onMore={() => void readPast(query, moment)} />
      {isFiltered(query) && fleet?.cursor !== undefined && (
        <p class="muted">A filter saves no reads here: it is of the devices as they were then.</p>
      )}
    </main>
  );
}
