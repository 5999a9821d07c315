import { computed, signal } from '@preact/signals';
import {
  FLEET_PARAMETERS,
  type FleetQuery,
  isAttributeParameter,
  readFleetQuery,
  readNames,
  writeFleetQuery,
  writeNames,
} from '../model/fleet-query.ts';
import { LOCAL_ZONE, resolveZone } from '../model/time-zone.ts';

// All that a link must say is in the query string: the page works from any static host, without a fallback route.
const search = signal(location.search);

export const parameters = computed(() => new URLSearchParams(search.value));

/** What a link changes: null takes a parameter away. */
export type AddressChange = Readonly<Record<string, string | readonly string[] | null>>;

/** The address that differs from this one in the given parameters. */
export function hrefWith(change: AddressChange): string {
  const next = new URLSearchParams(parameters.value);
  for (const [name, value] of Object.entries(change)) {
    next.delete(name);
    for (const one of value === null ? [] : [value].flat()) next.append(name, one);
  }
  return next.size === 0 ? '.' : `?${next}`;
}

/** Goes there without loading the page. `replace` leaves no step for the back button. */
export function navigate(change: AddressChange, how: 'push' | 'replace' = 'push'): void {
  const href = hrefWith(change);
  if (how === 'push') history.pushState(null, '', href);
  else history.replaceState(null, '', href);
  search.value = location.search;
}

/** Follows the back and forward buttons, for as long as the page lives. */
export function startAddress(): void {
  addEventListener('popstate', () => {
    search.value = location.search;
  });
}

/** What leads out of a view and leaves filters and time zone as they are. */
export const LEAVE: AddressChange = {
  view: null,
  device: null,
  at: null,
  window: null,
  basis: null,
  from: null,
  to: null,
  together: null,
  against: null,
  other: null,
  record: null,
  rejection: null,
  key: null,
  selected: null,
};

export type View =
  | { readonly view: 'fleet' }
  | { readonly view: 'device'; readonly deviceId: string }
  | { readonly view: 'pipeline' }
  | { readonly view: 'quarantine' }
  | { readonly view: 'map' }
  /** The fleet at a moment. */
  | { readonly view: 'past' };

const NAMED_VIEWS = ['pipeline', 'quarantine', 'map', 'past'] as const;

export const view = computed((): View => {
  const deviceId = parameters.value.get('device');
  if (deviceId !== null && deviceId !== '') return { view: 'device', deviceId };
  const named = parameters.value.get('view');
  return { view: NAMED_VIEWS.find((known) => known === named) ?? 'fleet' };
});

// Computed from text first, so that a change elsewhere in the address is no change here.
const fleetQueryText = computed(() => writeFleetQuery(readFleetQuery(parameters.value)).toString());
export const fleetQuery = computed(
  (): FleetQuery => readFleetQuery(new URLSearchParams(fleetQueryText.value)),
);

/** Goes to another fleet query, keeping what else the address says. */
export function setFleetQuery(query: FleetQuery, how: 'push' | 'replace' = 'push'): void {
  const wanted = writeFleetQuery(query);
  const conditions = [...parameters.peek().keys(), ...wanted.keys()].filter(isAttributeParameter);
  const names = [...FLEET_PARAMETERS, ...conditions];
  navigate(Object.fromEntries(names.map((name) => [name, wanted.getAll(name)])), how);
}

const columnsText = computed(() => parameters.value.get('columns'));
/** Attributes that the list shows as columns. */
export const attributeColumns = computed(() => readNames(columnsText.value));

export function setAttributeColumns(names: readonly string[]): void {
  navigate({ columns: names.length === 0 ? null : writeNames(names) }, 'replace');
}

/** The zone as the address names it. */
export const zoneName = computed(() => parameters.value.get('tz') ?? LOCAL_ZONE);
/** The IANA zone in which times are shown; the viewer's own where the address names none that exists. */
export const zone = computed(() => resolveZone(zoneName.value) ?? resolveZone(LOCAL_ZONE) ?? 'UTC');
