import type { LabelCounts } from '@twinstream/api-contract';
import {
  CONNECTION_STATUSES,
  LIVENESS,
  TEXT_CHARACTERS_MAX,
  TROUBLE_FILTERS,
} from '@twinstream/api-contract/values';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { type FleetQuery, isFiltered, readFleetQuery, writeFleetQuery } from '../model/fleet-query.ts';
import { countText } from '../model/value-text.ts';
import { Icon } from '../parts/icon.tsx';
import { fleetQuery, setFleetQuery } from '../session/address.ts';
import { summary } from '../session/summary-session.ts';
import { AttributeChips, AttributeFilterMenu } from './list-menus.tsx';

/** Typing asks once it has rested so long. */
const REST_MS = 200;

function SearchField({ query }: { readonly query: FleetQuery }) {
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const shown = query.q ?? '';
  useEffect(() => {
    // What is being typed wins over the address, until it has become the address.
    if (field.current !== null && document.activeElement !== field.current) field.current.value = shown;
  }, [shown]);
  const onInput = (event: { currentTarget: HTMLInputElement }): void => {
    const q = event.currentTarget.value.trim();
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      const { q: _before, ...rest } = fleetQuery.peek();
      setFleetQuery(q === '' ? rest : { ...rest, q }, 'replace');
    }, REST_MS);
  };
  return (
    <label class="search">
      <Icon name="search" />
      <span class="visually-hidden">Search devices</span>
      <input
        ref={field}
        type="search"
        id="search"
        placeholder="Search id or label"
        autocomplete="off"
        spellcheck={false}
        maxLength={TEXT_CHARACTERS_MAX}
        defaultValue={shown}
        onInput={onInput}
      />
      <kbd title="The key / comes here">/</kbd>
    </label>
  );
}

/** Devices by one of their properties: value to count; undefined where it is not counted yet. */
type Tally = ReadonlyMap<string, number | undefined>;

interface ChoiceProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly tally: Tally;
  /** What it means to choose nothing. */
  readonly none?: string;
  readonly onChoose: (value: string | undefined) => void;
}

function countedName(name: string, tally: Tally): string {
  const count = tally.get(name);
  return count === undefined ? name : `${name} (${countText(count)})`;
}

/** One filter among the values that the fleet has, with how many devices have each. */
function Choice({ label, value, tally, none = 'any', onChoose }: ChoiceProps) {
  const values = [...tally.keys()];
  if (value !== undefined && !values.includes(value)) values.push(value);
  if (values.length === 0) return null;
  values.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return (
    <label class={`choice ${value === undefined ? '' : 'is-on'}`}>
      <span class="choice-label">{label}</span>
      <select value={value ?? ''} onChange={(event) => onChoose(event.currentTarget.value || undefined)}>
        <option value="">{none}</option>
        {values.map((name) => (
          <option key={name} value={name}>
            {countedName(name, tally)}
          </option>
        ))}
      </select>
    </label>
  );
}

const ACKNOWLEDGED: Tally = new Map(['no', 'yes'].map((answer) => [answer, undefined]));
const RETIRED: Tally = new Map([['included', undefined]]);

/** What devices can say, before they are counted. */
const SAID: Tally = new Map(CONNECTION_STATUSES.map((status) => [status, undefined]));

function tallyOf(counts: LabelCounts | undefined): Tally {
  return new Map((counts?.values ?? []).map(({ value, count }) => [value, count]));
}

/** How many filters of the bar are in force, the search left out: it is always in sight. */
function filterCount({
  status,
  site,
  type,
  firmware,
  acknowledged,
  retired,
  attributes,
}: FleetQuery): number {
  const choices = [status, site, type, firmware, acknowledged, retired];
  return choices.filter((value) => value !== undefined).length + (attributes?.length ?? 0);
}

/**
 * Search and filters of the fleet. All of them live in the address. On a phone the filters are folded behind a button. Of the past nothing
 * is counted, and what operators said is not known.
 */
export function FilterBar({ isPast = false }: { readonly isPast?: boolean }) {
  const query = fleetQuery.value;
  const [isOpen, setIsOpen] = useState(false);
  const id = useId();
  const count = filterCount(query);
  return (
    <search class="filters">
      <SearchField query={query} />
      <button
        type="button"
        class={`button filters-toggle ${count > 0 ? 'is-accent' : ''}`}
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
      >
        {count === 0 ? 'Filters' : `Filters (${count})`}
        <Icon name={isOpen ? 'up' : 'down'} />
      </button>
      <div id={id} class={`filter-choices ${isOpen ? 'is-open' : ''}`}>
        <FilterChoices query={query} isPast={isPast} />
      </div>
    </search>
  );
}

function uncounted(tally: Tally, isPast: boolean): Tally {
  return isPast ? new Map([...tally.keys()].map((name) => [name, undefined])) : tally;
}

const HEALTH: Tally = new Map(LIVENESS.map((name) => [name, undefined]));
const TROUBLE: Tally = new Map(TROUBLE_FILTERS.map((name) => [name, undefined]));

/** What tiles choose in the present. */
function PastChoices({ query }: { readonly query: FleetQuery }) {
  const { liveness, trouble } = query;
  const choose = (name: 'liveness' | 'trouble') => (value: string | undefined) => {
    const { [name]: _before, ...others } = query;
    const parameters = writeFleetQuery(others);
    if (value !== undefined) parameters.set(name, value);
    setFleetQuery(readFleetQuery(parameters));
  };
  return (
    <>
      <Choice label="Health" value={liveness} tally={HEALTH} onChoose={choose('liveness')} />
      <Choice label="Trouble" value={trouble} tally={TROUBLE} onChoose={choose('trouble')} />
    </>
  );
}

function FilterChoices({ query, isPast }: { readonly query: FleetQuery; readonly isPast: boolean }) {
  const counts = summary.value;
  const choose = (name: 'site' | 'type' | 'firmware') => (value: string | undefined) => {
    const { [name]: _before, ...rest } = query;
    setFleetQuery(value === undefined ? rest : { ...rest, [name]: value });
  };
  const chooseStatus = (value: string | undefined): void => {
    const { status: _before, ...rest } = query;
    const status = CONNECTION_STATUSES.find((known) => known === value);
    setFleetQuery(status === undefined ? rest : { ...rest, status });
  };
  const said = counts === undefined || isPast ? SAID : new Map(Object.entries(counts.byStatus));
  const tally = (of: LabelCounts | undefined) => uncounted(tallyOf(of), isPast);
  return (
    <>
      {isPast && <PastChoices query={query} />}
      <Choice label="Reported status" value={query.status} tally={said} onChoose={chooseStatus} />
      <Choice label="Site" value={query.site} tally={tally(counts?.bySite)} onChoose={choose('site')} />
      <Choice label="Type" value={query.type} tally={tally(counts?.byType)} onChoose={choose('type')} />
      <Choice
        label="Firmware"
        value={query.firmware}
        tally={tally(counts?.byFirmware)}
        onChoose={choose('firmware')}
      />
      {!isPast && (query.trouble !== undefined || query.acknowledged !== undefined) && (
        <Choice
          label="Acknowledged"
          value={query.acknowledged === undefined ? undefined : query.acknowledged ? 'yes' : 'no'}
          tally={ACKNOWLEDGED}
          onChoose={(value) => {
            const { acknowledged: _before, ...rest } = query;
            setFleetQuery(value === undefined ? rest : { ...rest, acknowledged: value === 'yes' });
          }}
        />
      )}
      {!isPast && (query.retired !== undefined || (counts?.retired ?? 0) > 0) && (
        <Choice
          label="Retired"
          none="left out"
          value={query.retired === undefined ? undefined : query.retired === 'any' ? 'included' : 'only'}
          tally={new Map([...RETIRED, ['only', counts?.retired]])}
          onChoose={(value) => {
            const { retired: _before, ...rest } = query;
            setFleetQuery(
              value === undefined ? rest : { ...rest, retired: value === 'only' ? 'true' : 'any' },
            );
          }}
        />
      )}
      <AttributeFilterMenu />
      <AttributeChips />
      {isFiltered(query) && (
        <button
          type="button"
          class="button is-quiet"
          onClick={() => {
            const { sort, order } = query;
            setFleetQuery({
              ...(sort === undefined ? {} : { sort }),
              ...(order === undefined ? {} : { order }),
            });
          }}
        >
          <Icon name="close" />
          Clear filters
        </button>
      )}
    </>
  );
}
