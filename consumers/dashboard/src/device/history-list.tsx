import { useMemo, useRef, useState } from 'preact/hooks';
import type { HistoryEvent } from '../api/shapes.ts';
import { type EventMarks, marksOf, missingOf } from '../model/history-marks.ts';
import { attributesText, countText } from '../model/value-text.ts';
import { Cell } from '../parts/cell.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import { Json } from '../parts/json.tsx';
import { Moment } from '../parts/time.tsx';
import { type GridColumn, VirtualGrid } from '../parts/virtual-grid.tsx';
import { eventKey } from '../session/device-session.ts';
import { goToMoment } from './time-slider.tsx';

const COLUMNS: readonly GridColumn[] = [
  { key: 'arrival', header: 'Arrival' },
  { key: 'type', header: 'Event' },
  { key: 'identity', header: 'Session.counter' },
  { key: 'marks', header: 'Remarks' },
  { key: 'data', header: 'Data' },
  { key: 'time', header: 'Device time' },
];
const DATA_CHARACTERS_MAX = 200;

const TYPE_ICONS: Readonly<Record<string, IconName>> = {
  reported: 'reported',
  connected: 'connected',
  disconnected: 'offline',
  corrected: 'correction',
};

function Mark({ kind, icon, children }: { kind: string; icon: IconName; children: string }) {
  return (
    <span class={`mark is-${kind}`}>
      <Icon name={icon} />
      {children}
    </span>
  );
}

function gapText(marks: EventMarks): string {
  if (marks.gap === undefined) return '';
  const missing = missingOf(marks.gap);
  const filled = marks.gap.filled > 0 ? `, ${countText(marks.gap.filled)} came late` : '';
  return missing === 0 ? `gap closed${filled}` : `${countText(missing)} missing before${filled}`;
}

function Marks({ event, marks }: { readonly event: HistoryEvent; readonly marks: EventMarks }) {
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
      {event.correction !== undefined && (
        <Mark kind="correction" icon="correction">
          {`by ${event.correction.actor}: ${event.correction.reason}`}
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

function EventDetail({ event, onClose }: { readonly event: HistoryEvent; readonly onClose: () => void }) {
  return (
    <div class="event-detail">
      <div class="card-line">
        <h3>
          {event.type} <Moment time={event.arrivalTime} exact />
        </h3>
        <button type="button" class="button" onClick={() => goToMoment(event.arrivalTime)}>
          Show the state then
        </button>
        <button type="button" class="button is-quiet" onClick={onClose}>
          <Icon name="close" />
          Close
        </button>
      </div>
      <Json label="Event as JSON" value={event.raw} />
    </div>
  );
}

export interface HistoryListProps {
  /** In chain order, oldest first. */
  readonly events: readonly HistoryEvent[];
  readonly atMs: number | undefined;
}

/** The events of the window, newest first, with what is remarkable about each. */
export function HistoryList({ events, atMs }: HistoryListProps) {
  const marks = useMemo(() => marksOf(events), [events]);
  const place = useRef({ scrollTop: 0, activeRow: 0 }).current;
  const [selectedKey, setSelectedKey] = useState<string | undefined>(undefined);
  const indexOf = (row: number): number => events.length - 1 - row;
  const eventAt = (row: number): HistoryEvent | undefined => events[indexOf(row)];
  const selected =
    selectedKey === undefined ? undefined : events.find((event) => eventKey(event) === selectedKey);
  const cells = (row: number) => {
    const event = eventAt(row);
    if (event === undefined) return null;
    return (
      <>
        <Cell of="arrival">
          <Moment time={event.arrivalTime} exact />
        </Cell>
        <Cell of="type">
          <Icon name={TYPE_ICONS[event.type] ?? 'total'} />
          {event.type}
        </Cell>
        <Cell of="identity">
          {event.identity === undefined ? '' : `${event.identity.session}.${event.identity.counter}`}
        </Cell>
        <Cell of="marks">
          <Marks event={event} marks={marks[indexOf(row)] ?? {}} />
        </Cell>
        <Cell of="data">{attributesText(event.data, [], DATA_CHARACTERS_MAX)}</Cell>
        <Cell of="time">{event.time}</Cell>
      </>
    );
  };
  return (
    <>
      <VirtualGrid
        label="Events, newest first"
        class="history-grid"
        columns={COLUMNS}
        rowCount={events.length}
        rowKey={(row) => {
          const event = eventAt(row);
          return event === undefined ? String(row) : eventKey(event);
        }}
        rowClass={(row) => {
          const event = eventAt(row);
          if (event === undefined) return '';
          const isAfter = atMs !== undefined && event.arrivalTime > atMs;
          return `${isAfter ? 'is-after' : ''} ${eventKey(event) === selectedKey ? 'is-open' : ''}`;
        }}
        renderCells={cells}
        onOpen={(row) => {
          const event = eventAt(row);
          if (event !== undefined) setSelectedKey(eventKey(event));
        }}
        place={place}
      />
      {selected !== undefined && <EventDetail event={selected} onClose={() => setSelectedKey(undefined)} />}
    </>
  );
}
