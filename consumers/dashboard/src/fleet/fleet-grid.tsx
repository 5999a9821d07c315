import type { DeviceJson } from '@twinstream/api-contract';
import { LABELS } from '@twinstream/api-contract/values';
import { useRef } from 'preact/hooks';
import type { SortKey } from '../model/fleet-query.ts';
import { troublesOf } from '../model/trouble.ts';
import { countText } from '../model/value-text.ts';
import { Cell } from '../parts/cell.tsx';
import { Health, reportedText } from '../parts/health.tsx';
import { Icon } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { Readings } from '../parts/readings.tsx';
import { Age } from '../parts/time.tsx';
import { type GridColumn, VirtualGrid } from '../parts/virtual-grid.tsx';
import { fleetQuery, navigate, setFleetQuery } from '../session/address.ts';
import {
  deviceOf,
  leftIds,
  listPlace,
  rowCount,
  rowIds,
  rowsVersion,
  showRows,
} from '../session/fleet-session.ts';

interface Column {
  readonly key: string;
  readonly title: string;
  readonly sort?: SortKey;
  /** Where the eye wants it first: the many before the few. */
  readonly firstOrder?: 'asc' | 'desc';
}

const COLUMNS: readonly Column[] = [
  { key: 'device', title: 'Device', sort: 'deviceId' },
  { key: 'standing', title: 'Health', sort: 'liveness', firstOrder: 'desc' },
  { key: 'heard', title: 'Last heard', sort: 'lastArrivalTime', firstOrder: 'desc' },
  { key: 'said', title: 'Reported status', sort: 'status' },
  { key: 'site', title: 'Site', sort: 'site' },
  { key: 'type', title: 'Type', sort: 'type' },
  { key: 'firmware', title: 'Firmware', sort: 'firmware' },
  { key: 'events', title: 'Events', sort: 'events', firstOrder: 'desc' },
  { key: 'late', title: 'Late', sort: 'late', firstOrder: 'desc' },
  { key: 'gaps', title: 'Missing events', sort: 'gaps', firstOrder: 'desc' },
  { key: 'reads', title: 'Attributes' },
];
/** Attributes shown in a row; the device's own page shows all. */
const READINGS_MAX = 6;

function SortButton({ column }: { readonly column: Column }) {
  const { sort: wanted, firstOrder = 'asc', title } = column;
  if (wanted === undefined) return <span>{title}</span>;
  const { sort = 'deviceId', order = 'asc' } = fleetQuery.value;
  const isOn = sort === wanted;
  const next = isOn ? (order === 'asc' ? 'desc' : 'asc') : firstOrder;
  const onClick = (): void => {
    const { sort: _sort, order: _order, ...rest } = fleetQuery.peek();
    setFleetQuery({ ...rest, sort: wanted, order: next });
  };
  return (
    <button type="button" class="sort" onClick={onClick}>
      {title}
      {isOn && <Icon name={order === 'asc' ? 'up' : 'down'} />}
    </button>
  );
}

function ariaSort(column: Column): 'ascending' | 'descending' | undefined {
  const { sort = 'deviceId', order = 'asc' } = fleetQuery.value;
  if (column.sort !== sort) return undefined;
  return order === 'asc' ? 'ascending' : 'descending';
}

/** When a device was last heard; lights up when it is heard again, and not when another device takes its place. */
function Heard({ deviceId, time }: { readonly deviceId: string; readonly time: string | null }) {
  const shown = useRef({ deviceId, time, count: 0 }).current;
  if (shown.deviceId !== deviceId) shown.count = 0;
  else if (shown.time !== time) shown.count += 1;
  shown.deviceId = deviceId;
  shown.time = time;
  return (
    <span key={shown.count} class={shown.count > 0 ? 'heard' : ''}>
      <Age time={time} />
    </span>
  );
}

function Cells({ device }: { readonly device: DeviceJson }) {
  const { deviceId, labels, counts } = device;
  return (
    <>
      <Cell of="device">
        <Link to={{ device: deviceId }} tabIndex={-1} title={deviceId}>
          {deviceId}
        </Link>
      </Cell>
      <Cell of="standing">
        <Health device={device} />
      </Cell>
      <Cell of="heard">
        <Heard deviceId={deviceId} time={device.lastArrivalTime} />
      </Cell>
      <Cell of="said">{reportedText(device)}</Cell>
      <Cell of="site">{labels.site}</Cell>
      <Cell of="type">{labels.type}</Cell>
      <Cell of="firmware">{labels.firmware}</Cell>
      <Cell of="events">{countText(counts.events)}</Cell>
      <Cell of="late">{counts.late === 0 ? '' : countText(counts.late)}</Cell>
      <Cell of="gaps">{counts.gaps === 0 ? '' : countText(counts.gaps)}</Cell>
      <Cell of="reads">
        <Readings attributes={device.attributes} leftOut={LABELS} countMax={READINGS_MAX} />
      </Cell>
    </>
  );
}

/** A row that the scroll has reached before the API has. */
function PendingCells() {
  return (
    <>
      {COLUMNS.map(({ key }) => (
        <Cell key={key} of={key}>
          <span class="pending">
            <span class="visually-hidden">loading</span>
          </span>
        </Cell>
      ))}
    </>
  );
}

function rowCells(device: DeviceJson | undefined) {
  return device === undefined ? <PendingCells /> : <Cells device={device} />;
}

const columns = (): readonly GridColumn[] =>
  COLUMNS.map((column) => {
    const sort = ariaSort(column);
    return {
      key: column.key,
      header: <SortButton column={column} />,
      ...(sort === undefined ? {} : { sort }),
    };
  });

/** The fleet, row by row. */
export function FleetGrid() {
  const ids = rowIds.value;
  const left = leftIds.value;
  // Read only to subscribe to the signal: rows changed in place are redrawn.
  rowsVersion.value;
  const deviceAt = (row: number): DeviceJson | undefined => deviceOf(ids[row] ?? '');
  const open = (row: number): void => {
    const deviceId = ids[row];
    if (deviceId !== undefined) navigate({ device: deviceId });
  };
  return (
    <VirtualGrid
      label="Devices"
      class="fleet-grid"
      columns={columns()}
      rowCount={rowCount.value}
      itemOf={deviceAt}
      cells={rowCells}
      rowClass={(row) => {
        const device = deviceAt(row);
        if (device === undefined) return 'is-pending';
        if (left.has(device.deviceId)) return 'has-left';
        return troublesOf(device).length > 0 ? 'in-trouble' : `of-${device.liveness}`;
      }}
      onOpen={open}
      onRange={showRows}
      place={listPlace}
    />
  );
}
