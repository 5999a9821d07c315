import type { EventJson } from '@twinstream/api-contract';
import { useMemo, useRef, useState } from 'preact/hooks';
import { identityOf, isCorrection, type TimeOf } from '../model/event.ts';
import { type EventMarks, marksOf, missingOf } from '../model/history-marks.ts';
import { countText } from '../model/value-text.ts';
import { Cell } from '../parts/cell.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import { Json } from '../parts/json.tsx';
import { Readings } from '../parts/readings.tsx';
import { Moment } from '../parts/time.tsx';
import { type GridColumn, VirtualGrid } from '../parts/virtual-grid.tsx';
import { eventKey } from '../session/device-history.ts';
import { goToMoment } from './time-slider.tsx';

const COLUMNS: readonly GridColumn[] = [
  { key: 'arrival', header: 'Arrival' },
  { key: 'type', header: 'Event' },
  { key: 'identity', header: 'Session.counter' },
  { key: 'marks', header: 'Remarks' },
  { key: 'data', header: 'Data' },
  { key: 'time', header: 'Device time' },
];
/** Attributes shown in a row; the event's JSON shows all. */
const READINGS_MAX = 8;

/** By the type of an event, which may be any text. */
const TYPE_ICONS: ReadonlyMap<string, IconName> = new Map([
  ['reported', 'reported'],
  ['connected', 'connected'],
  ['disconnected', 'offline'],
  ['corrected', 'correction'],
]);

function Mark({ kind, icon, children }: { kind: string; icon: IconName; children: string }) {
  return (
    <span class={`mark is-${kind}`}>
      <Icon name={icon} />
      <span class="mark-text" title={children}>
        {children}
      </span>
    </span>
  );
}

function gapText(marks: EventMarks): string {
  if (marks.gap === undefined) return '';
  const missing = missingOf(marks.gap);
  const filled = marks.gap.filled > 0 ? `, ${countText(marks.gap.filled)} came late` : '';
  return missing === 0 ? `gap closed${filled}` : `${countText(missing)} missing before${filled}`;
}

function Marks({ event, marks }: { readonly event: EventJson; readonly marks: EventMarks }) {
  return (
    <>
      {event.late && (
        <Mark kind="late" icon="late">
          late
        </Mark>
      )}
      {marks.gap !== undefined && (
        <Mark kind={missingOf(marks.gap) === 0 ? 'filled' : 'gap'} icon="gap">
          {gapText(marks)}
        </Mark>
      )}
      {marks.startsSession && (
        <Mark kind="session" icon="session">
          new session
        </Mark>
      )}
      {isCorrection(event) && (
        <Mark kind="correction" icon="correction">
          {`by ${event.actor ?? 'somebody'}: ${event.reason ?? 'no reason was given'}`}
        </Mark>
      )}
      {marks.wasCorrected && (
        <Mark kind="correction" icon="correction">
          corrected later
        </Mark>
      )}
      {event.repaired && (
        <Mark kind="repaired" icon="repaired">
          repaired
        </Mark>
      )}
    </>
  );
}

interface EventDetailProps {
  readonly event: EventJson;
  readonly timeOf: TimeOf;
  readonly onClose: () => void;
}

function EventDetail({ event, timeOf, onClose }: EventDetailProps) {
  return (
    <div class="event-detail">
      <div class="card-line">
        <h3>
          {event.type} <Moment time={event.arrivalTime} exact />
        </h3>
        <button type="button" class="button" onClick={() => goToMoment(timeOf(event))}>
          Show the state then
        </button>
        <button type="button" class="button is-quiet" onClick={onClose}>
          <Icon name="close" />
          Close
        </button>
      </div>
      <Json label="Event as JSON" value={event} />
    </div>
  );
}

interface HistoryItem {
  readonly event: EventJson;
  readonly marks: EventMarks;
}

function itemCells(item: HistoryItem | undefined) {
  if (item === undefined) return null;
  const { event, marks } = item;
  const identity = identityOf(event);
  return (
    <>
      <Cell of="arrival">
        <Moment time={event.arrivalTime} exact />
      </Cell>
      <Cell of="type">
        <Icon name={TYPE_ICONS.get(event.type) ?? 'total'} />
        {event.type}
      </Cell>
      <Cell of="identity">{identity === undefined ? '' : `${identity.session}.${identity.counter}`}</Cell>
      <Cell of="marks">
        <Marks event={event} marks={marks} />
      </Cell>
      <Cell of="data">
        <Readings attributes={event.data ?? {}} countMax={READINGS_MAX} />
      </Cell>
      <Cell of="time">{event.time}</Cell>
    </>
  );
}

export interface HistoryListProps {
  /** In chain order, oldest first. */
  readonly events: readonly EventJson[];
  readonly atMs: number | undefined;
  readonly timeOf: TimeOf;
}

/** How many events have come on top since the list was drawn first. */
function useShift(events: readonly EventJson[]): number {
  const seen = useRef<{ newest: string | undefined; shift: number }>({ newest: undefined, shift: 0 }).current;
  const newest = events.at(-1);
  const newestKey = newest === undefined ? undefined : eventKey(newest);
  if (newestKey !== seen.newest) {
    const index = events.findLastIndex((event) => eventKey(event) === seen.newest);
    if (index !== -1) seen.shift += events.length - 1 - index;
    seen.newest = newestKey;
  }
  return seen.shift;
}

/** The events of the window, newest first, with what is remarkable about each. */
export function HistoryList({ events, atMs, timeOf }: HistoryListProps) {
  const items = useMemo(() => {
    const marks = marksOf(events);
    return events.map((event, index): HistoryItem => ({ event, marks: marks[index] ?? {} }));
  }, [events]);
  const shiftRows = useShift(events);
  const place = useRef({ scrollTop: 0, activeRow: 0 }).current;
  const [selectedKey, setSelectedKey] = useState<string | undefined>(undefined);
  const itemOf = (row: number): HistoryItem | undefined => items[items.length - 1 - row];
  const selected =
    selectedKey === undefined ? undefined : events.find((event) => eventKey(event) === selectedKey);
  // The newest event that the state shown knows of.
  const indexAtMoment = atMs === undefined ? -1 : events.findLastIndex((event) => timeOf(event) <= atMs);
  const rowAtMoment = indexAtMoment === -1 ? undefined : events.length - 1 - indexAtMoment;
  return (
    <>
      <VirtualGrid
        label="Events, newest first"
        class="history-grid"
        columns={COLUMNS}
        rowCount={events.length}
        itemOf={itemOf}
        cells={itemCells}
        shiftRows={shiftRows}
        rowClass={(row) => {
          const event = itemOf(row)?.event;
          if (event === undefined) return '';
          const isAfter = atMs !== undefined && timeOf(event) > atMs;
          const isLast = row === rowAtMoment;
          const isOpen = eventKey(event) === selectedKey;
          return `${isAfter ? 'is-after' : ''} ${isLast ? 'is-at' : ''} ${isOpen ? 'is-open' : ''}`;
        }}
        onOpen={(row) => {
          const event = itemOf(row)?.event;
          if (event !== undefined) setSelectedKey(eventKey(event));
        }}
        place={place}
        {...(rowAtMoment === undefined ? {} : { bringRow: rowAtMoment })}
      />
      {selected !== undefined && (
        <EventDetail event={selected} timeOf={timeOf} onClose={() => setSelectedKey(undefined)} />
      )}
    </>
  );
}
