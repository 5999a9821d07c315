import { useCallback } from 'preact/hooks';
import { type Device, LABELS } from '../api/shapes.ts';
import type { SortKey } from '../model/fleet-query.ts';
import { troublesOf } from '../model/trouble.ts';
import { attributesText, countText } from '../model/value-text.ts';
import { Cell } from '../parts/cell.tsx';
import { Icon } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { SaidText, Standing } from '../parts/standing.tsx';
import { Age } from '../parts/time.tsx';
import { type GridColumn, VirtualGrid } from '../parts/virtual-grid.tsx';
import { fleetQuery, navigate, setFleetQuery } from '../session/address.ts';
import { deviceOf, listPlace, rowCount, rowIds, rowsVersion, showRows } from '../session/fleet-session.ts';

interface Column {
  readonly key: string;
  readonly title: string;
  readonly sort?: SortKey;
  /** Where the eye wants it first: the many before the few. */
  readonly firstOrder?: 'asc' | 'desc';
}

const COLUMNS: readonly Column[] = [
  { key: 'device', title: 'Device', sort: 'deviceId' },
  { key: 'standing', title: 'Standing', sort: 'liveness', firstOrder: 'desc' },
  { key: 'heard', title: 'Last heard', sort: 'lastArrivalTime', firstOrder: 'desc' },
  { key: 'said', title: 'Said', sort: 'status' },
  { key: 'site', title: 'Site', sort: 'site' },
  { key: 'type', title: 'Type', sort: 'type' },
  { key: 'firmware', title: 'Firmware', sort: 'firmware' },
  { key: 'events', title: 'Events', sort: 'events', firstOrder: 'desc' },
  { key: 'late', title: 'Late', sort: 'late', firstOrder: 'desc' },
  { key: 'gaps', title: 'Missing', sort: 'gaps', firstOrder: 'desc' },
  { key: 'reads', title: 'Attributes' },
];
const ATTRIBUTES_CHARACTERS_MAX = 160;

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

function Cells({ device }: { readonly device: Device }) {
  const { deviceId, labels, counts } = device;
  return (
    <>
      <Cell of="device">
        <Link to={{ device: deviceId }} tabIndex={-1}>
          {deviceId}
        </Link>
      </Cell>
      <Cell of="standing">
        <Standing device={device} />
      </Cell>
      <Cell of="heard">
        <span key={device.lastArrivalTime} class="heard">
          <Age time={device.lastArrivalTime} />
        </span>
      </Cell>
      <Cell of="said">
        <SaidText status={device.status} />
      </Cell>
      <Cell of="site">{labels.site}</Cell>
      <Cell of="type">{labels.type}</Cell>
      <Cell of="firmware">{labels.firmware}</Cell>
      <Cell of="events">{countText(counts.events)}</Cell>
      <Cell of="late">{counts.late === 0 ? '' : countText(counts.late)}</Cell>
      <Cell of="gaps">{counts.gaps === 0 ? '' : countText(counts.gaps)}</Cell>
      <Cell of="reads">{attributesText(device.attributes, LABELS, ATTRIBUTES_CHARACTERS_MAX)}</Cell>
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
  // Read for its own sake: rows changed in place are drawn anew.
  rowsVersion.value;
  const deviceAt = (row: number): Device | undefined => deviceOf(ids[row] ?? '');
  const open = (row: number): void => {
    const deviceId = ids[row];
    if (deviceId !== undefined) navigate({ device: deviceId });
  };
  const onRange = useCallback(showRows, []);
  return (
    <VirtualGrid
      label="Devices"
      class="fleet-grid"
      columns={columns()}
      rowCount={rowCount.value}
      rowKey={(row) => ids[row] ?? `pending ${row}`}
      rowClass={(row) => {
        const device = deviceAt(row);
        if (device === undefined) return 'is-pending';
        return troublesOf(device).length > 0 ? 'in-trouble' : `of-${device.liveness}`;
      }}
      renderCells={(row) => {
        const device = deviceAt(row);
        return device === undefined ? <PendingCells /> : <Cells device={device} />;
      }}
      onOpen={open}
      onRange={onRange}
      place={listPlace}
    />
  );
}
