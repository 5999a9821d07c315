import type { QuarantinedRecordJson } from '@twinstream/api-contract';
import { useEffect, useMemo } from 'preact/hooks';
import type { Failure } from '../api/request.ts';
import { countText } from '../model/value-text.ts';
import { Icon } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { FailureNotice, Notice, StaleNote } from '../parts/notice.tsx';
import { Moment } from '../parts/time.tsx';
import { LEAVE, navigate, parameters } from '../session/address.ts';
import { hasMore, listFailure, openQuarantine, readRecords, records } from './quarantine-session.ts';
import { RecordCard } from './record-card.tsx';

function reasonsOf(all: readonly QuarantinedRecordJson[], chosen: string | undefined): readonly string[] {
  const found = all.flatMap(({ entries }) => entries.map(({ reason }) => reason));
  return [...new Set(chosen === undefined ? found : [...found, chosen])].sort();
}

function Filters({
  rejection,
  partitionKey,
}: {
  readonly rejection?: string;
  readonly partitionKey?: string;
}) {
  return (
    <search class="filters">
      <label class={`choice ${rejection === undefined ? '' : 'is-on'}`}>
        <span class="choice-label">Reason</span>
        <select
          value={rejection ?? ''}
          onChange={(event) => navigate({ rejection: event.currentTarget.value || null, record: null })}
        >
          <option value="">any</option>
          {reasonsOf(records.value ?? [], rejection).map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="search">
        <Icon name="search" />
        <span class="visually-hidden">Device or partition key</span>
        <input
          type="search"
          placeholder="Device or partition key"
          autocomplete="off"
          spellcheck={false}
          value={partitionKey ?? ''}
          onChange={(event) => navigate({ key: event.currentTarget.value.trim() || null, record: null })}
        />
      </label>
    </search>
  );
}

function RecordRows({
  all,
  open,
}: {
  readonly all: readonly QuarantinedRecordJson[];
  readonly open: string | null;
}) {
  return (
    <div class="scroll">
      <table class="dead-letters">
        <thead>
          <tr>
            <th scope="col">Arrival</th>
            <th scope="col">Device or key</th>
            <th scope="col">Reason</th>
            <th scope="col" class="is-right">
              Bytes
            </th>
            <th scope="col">Fault</th>
          </tr>
        </thead>
        <tbody>
          {all.flatMap(({ recordId, arrivalTime, entries }) =>
            entries.map(({ subSequenceNumber, partitionKey, reason, bytes, detail }) => (
              <tr key={`${recordId} ${subSequenceNumber}`} class={recordId === open ? 'is-open' : ''}>
                <td>
                  <Link to={{ record: recordId }}>
                    <Moment time={arrivalTime} exact />
                  </Link>
                </td>
                <th scope="row">{partitionKey}</th>
                <td class="is-reason">{reason}</td>
                <td class="is-right">{countText(bytes)}</td>
                <td>{detail}</td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </div>
  );
}

/** An API that only reads states and history has no such path. */
function isNotServed(failure: Failure | undefined): boolean {
  return failure?.kind === 'refused' && failure.code === 'NOT_FOUND';
}

/** Records that the projector could not read: why, what they hold, and what to do with them. */
export function QuarantineView() {
  const rejection = parameters.value.get('rejection') ?? undefined;
  const partitionKey = parameters.value.get('key') ?? undefined;
  const open = parameters.value.get('record');
  const query = useMemo(() => ({ rejection, partitionKey }), [rejection, partitionKey]);
  useEffect(() => openQuarantine(query), [query]);
  const all = records.value;
  const failure = listFailure.value;
  const isFiltered = rejection !== undefined || partitionKey !== undefined;
  return (
    <main id="main" class="quarantine-view" tabIndex={-1}>
      <div class="view-title">
        <h1>Quarantine</h1>
        <p class="muted">Records that the projector could not read. Nothing waits for them.</p>
      </div>
      <Filters
        {...(rejection === undefined ? {} : { rejection })}
        {...(partitionKey === undefined ? {} : { partitionKey })}
      />
      {all === undefined && isNotServed(failure) && (
        <Notice icon="locked" title="This API does not show the quarantine">
          Use ops quarantine list, or the API of the pipeline itself.
        </Notice>
      )}
      {all === undefined && failure !== undefined && !isNotServed(failure) && (
        <FailureNotice failure={failure} what="The quarantine" />
      )}
      {all === undefined && failure === undefined && <Notice icon="polling" title="Reading the quarantine" />}
      {all !== undefined && <StaleNote failure={failure} />}
      {open !== null && (
        <RecordCard
          key={open}
          recordId={open}
          onDone={() => void readRecords(query)}
          onClose={() => navigate({ record: null })}
        />
      )}
      {all !== undefined && all.length === 0 && (
        <Notice
          icon="online"
          title={isFiltered ? 'No record meets these filters' : 'The quarantine is empty'}
        >
          {isFiltered && <Link to={{ ...LEAVE, view: 'quarantine' }}>Clear the filters</Link>}
        </Notice>
      )}
      {all !== undefined && all.length > 0 && (
        <section class="card" aria-label="Records in quarantine">
          <RecordRows all={all} open={open} />
          {hasMore.value && (
            <button type="button" class="button" onClick={() => void readRecords(query, true)}>
              Read more
            </button>
          )}
        </section>
      )}
    </main>
  );
}
