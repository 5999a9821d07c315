import { computed } from '@preact/signals';
import type { DeviceJson, LabelCounts } from '@twinstream/api-contract';
import { LABELS } from '@twinstream/api-contract/values';
import { useRef } from 'preact/hooks';
import { attributeSort, type SortKey } from '../model/fleet-query.ts';
import { openTroublesOf } from '../model/trouble.ts';
import { countText, valueText } from '../model/value-text.ts';
import { Cell } from '../parts/cell.tsx';
import { Health, reportedText } from '../parts/health.tsx';
import { Icon } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { Readings } from '../parts/readings.tsx';
import { Age } from '../parts/time.tsx';
import { type GridColumn, VirtualGrid } from '../parts/virtual-grid.tsx';
import { attributeColumns, fleetQuery, navigate, setFleetQuery } from '../session/address.ts';
import {
  deviceOf,
  hasLate,
  leftIds,
  listPlace,
  rowCount,
  rowIds,
  rowsVersion,
  shownQuery,
  showRows,
} from '../session/fleet-session.ts';
import { summary } from '../session/summary-session.ts';
import { hasRoom } from '../session/window-room.ts';

interface Column {
  readonly key: string;
  readonly title: string;
  readonly sort?: SortKey;
  /** Where the eye wants it first: the many before the few. */
  readonly firstOrder?: 'asc' | 'desc';
  /** Of a grid track. */
  readonly width: string;
  /** From which width of the window on it has a place. Default: any. */
  readonly from?: 'medium' | 'wide';
  /** Whether no device has a value for it, as far as it is counted. */
  readonly isEmpty?: () => boolean;
}

const hasNone = (counts: LabelCounts | undefined): boolean => counts?.values.length === 0;

const COLUMNS: readonly Column[] = [
  { key: 'device', title: 'Device', sort: 'deviceId', width: 'minmax(11.5rem, 1.4fr)' },
  { key: 'standing', title: 'Health', sort: 'liveness', firstOrder: 'desc', width: '12.5rem' },
  { key: 'heard', title: 'Last heard', sort: 'lastArrivalTime', firstOrder: 'desc', width: '5.8rem' },
  {
    key: 'said',
    title: 'Reported status',
    sort: 'status',
    width: '8.2rem',
    from: 'medium',
    isEmpty: () => {
      const { connected = 1, disconnected = 1 } = summary.value?.byStatus ?? {};
      return connected + disconnected === 0;
    },
  },
  {
    key: 'site',
    title: 'Site',
    sort: 'site',
    width: 'minmax(5.5rem, 0.8fr)',
    isEmpty: () => hasNone(summary.value?.bySite),
  },
  {
    key: 'type',
    title: 'Type',
    sort: 'type',
    width: 'minmax(5rem, 0.6fr)',
    from: 'medium',
    isEmpty: () => hasNone(summary.value?.byType),
  },
  {
    key: 'firmware',
    title: 'Firmware',
    sort: 'firmware',
    width: 'minmax(5rem, 0.7fr)',
    from: 'wide',
    isEmpty: () => hasNone(summary.value?.byFirmware),
  },
  { key: 'events', title: 'Events', sort: 'events', firstOrder: 'desc', width: '5rem', from: 'medium' },
  {
    key: 'late',
    title: 'Late',
    sort: 'late',
    firstOrder: 'desc',
    width: '3.4rem',
    from: 'wide',
    isEmpty: () => !hasLate.value,
  },
  {
    key: 'gaps',
    title: 'Missing events',
    sort: 'gaps',
    firstOrder: 'desc',
    width: '7rem',
    from: 'medium',
    isEmpty: () => summary.value?.byTrouble.gaps === 0,
  },
];
const READINGS: Column = { key: 'reads', title: 'Attributes', width: 'minmax(8rem, 4fr)' };

/** Columns that have values and a place: those of the device, then the attributes that were chosen, or some of all. */
const shownColumns = computed((): readonly Column[] => {
  const { sort = 'deviceId' } = fleetQuery.value;
  const chosen = attributeColumns.value.map(
    (name): Column => ({
      key: `attribute ${name}`,
      title: name,
      sort: attributeSort(name),
      firstOrder: 'desc',
      width: 'minmax(6rem, 1fr)',
    }),
  );
  const own = COLUMNS.filter(
    (column) => hasRoom(column.from) && (column.sort === sort || column.isEmpty?.() !== true),
  );
  return [...own, ...(chosen.length > 0 ? chosen : [READINGS])];
});

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

/** A cell of a column, by its key. */
function cellOf(key: string, device: DeviceJson) {
  const { deviceId, labels, counts } = device;
  switch (key) {
    case 'device':
      return (
        <Link to={{ device: deviceId }} tabIndex={-1} title={deviceId}>
          {deviceId}
        </Link>
      );
    case 'standing':
      return <Health device={device} />;
    case 'heard':
      return <Heard deviceId={deviceId} time={device.lastArrivalTime} />;
    case 'said':
      return reportedText(device);
    case 'site':
    case 'type':
    case 'firmware':
      return labels[key];
    case 'events':
      return countText(counts.events);
    case 'late':
    case 'gaps':
      return counts[key] === 0 ? '' : countText(counts[key]);
    default:
      return <Readings attributes={device.attributes} leftOut={LABELS} countMax={READINGS_MAX} />;
  }
}

function attributeText({ attributes }: DeviceJson, name: string): string {
  const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  return value === undefined ? '' : valueText(value);
}

/** Class of the cells of a column. */
function cellClass({ key }: Column): string {
  return key.startsWith('attribute ') ? 'attribute' : key;
}

function Cells({ device }: { readonly device: DeviceJson }) {
  return (
    <>
      {shownColumns.value.map((column) => (
        <Cell key={column.key} of={cellClass(column)}>
          {cellClass(column) === 'attribute' ? (
            <>
              <span class="reading-name">{column.title} </span>
              {attributeText(device, column.title)}
            </>
          ) : (
            cellOf(column.key, device)
          )}
        </Cell>
      ))}
    </>
  );
}

/** A row that the scroll has reached before the API has. */
function PendingCells() {
  return (
    <>
      {shownColumns.value.map((column) => (
        <Cell key={column.key} of={cellClass(column)}>
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
  shownColumns.value.map((column) => {
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
        return openTroublesOf(device).length > 0 ? 'in-trouble' : `of-${device.liveness}`;
      }}
      onOpen={open}
      onRange={showRows}
      widths={shownColumns.value.map(({ width }) => width).join(' ')}
      topKey={shownQuery.value}
      place={listPlace}
    />
  );
}
