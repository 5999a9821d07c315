import type { FleetFilter } from '@twinstream/api-contract';
import {
  CONNECTION_STATUSES,
  LIVENESS,
  ORDERS,
  type Order,
  RETIRED_FILTERS,
  type SortName,
  TROUBLE_FILTERS,
} from '@twinstream/api-contract/values';

/** What the page sorts by, of what the API can. */
export const SORT_KEYS = [
  'deviceId',
  'liveness',
  'status',
  'site',
  'type',
  'firmware',
  'events',
  'late',
  'gaps',
  'lastArrivalTime',
] as const satisfies readonly SortName[];
/** Before the name of an attribute in a sort, and in a filter. */
const SORT_PREFIX = 'attributes.';
const FILTER_PREFIX = 'attr.';
export type SortKey = (typeof SORT_KEYS)[number] | `${typeof SORT_PREFIX}${string}`;

export function attributeSort(name: string): SortKey {
  return `${SORT_PREFIX}${name}`;
}

/** Name of the attribute that a list is sorted by; undefined where it is sorted by another column. */
export function sortedAttribute(sort: SortKey): string | undefined {
  return sort.startsWith(SORT_PREFIX) ? sort.slice(SORT_PREFIX.length) : undefined;
}

/** A condition on an attribute in the grammar of the API, such as `lt:20`. */
export interface AttributeFilter {
  readonly name: string;
  readonly condition: string;
}

type Filter<Name extends keyof FleetFilter> = NonNullable<FleetFilter[Name]>;

/** Which devices the fleet view shows, and in what order. It is the part of the URL that people share. */
export interface FleetQuery {
  readonly q?: Filter<'q'>;
  readonly status?: Filter<'status'>;
  readonly liveness?: Filter<'liveness'>;
  readonly trouble?: Filter<'trouble'>;
  /** Whether the troubles of a device are acknowledged; false: not all of them. */
  readonly acknowledged?: Filter<'acknowledged'>;
  readonly retired?: Filter<'retired'>;
  readonly site?: Filter<'site'>;
  readonly type?: Filter<'type'>;
  readonly firmware?: Filter<'firmware'>;
  /** A device meets all of them. */
  readonly attributes?: readonly AttributeFilter[];
  readonly sort?: SortKey;
  readonly order?: Order;
}

/** Parameters of the URL that belong to the fleet query. */
export const FLEET_PARAMETERS = [
  'q',
  'status',
  'liveness',
  'trouble',
  'acknowledged',
  'retired',
  'site',
  'type',
  'firmware',
  'sort',
  'order',
] as const satisfies readonly (keyof FleetQuery & (keyof FleetFilter | 'sort' | 'order'))[];

const FLAGS = ['true', 'false'] as const;

function oneOf<T extends string>(known: readonly T[], value: string | null): T | undefined {
  return known.find((one) => one === value);
}

function isAttributeSort(text: string): text is `${typeof SORT_PREFIX}${string}` {
  return text.startsWith(SORT_PREFIX) && text.length > SORT_PREFIX.length;
}

/** Whether a parameter is a condition on an attribute. */
export function isAttributeParameter(name: string): boolean {
  return name.startsWith(FILTER_PREFIX) && name.length > FILTER_PREFIX.length;
}

/** Names in one parameter, with commas between: in a name, `~` is `~0` and a comma is `~2`, as ids in the API. */
export function readNames(text: string | null): readonly string[] {
  if (text === null || text === '') return [];
  return text.split(',').map((name) => name.replaceAll('~2', ',').replaceAll('~0', '~'));
}

export function writeNames(names: readonly string[]): string {
  return names.map((name) => name.replaceAll('~', '~0').replaceAll(',', '~2')).join(',');
}

/** The query that an address asks for. What it does not know it leaves out: a shared link never breaks the page. */
export function readFleetQuery(parameters: URLSearchParams): FleetQuery {
  const text = (name: string): string | undefined => parameters.get(name)?.trim() || undefined;
  const status = oneOf(CONNECTION_STATUSES, parameters.get('status'));
  const liveness = oneOf(LIVENESS, parameters.get('liveness'));
  const asked = parameters.get('sort') ?? '';
  const sort = oneOf(SORT_KEYS, asked) ?? (isAttributeSort(asked) ? asked : undefined);
  const attributes = [...parameters]
    .filter(([name]) => isAttributeParameter(name))
    .map(([name, condition]) => ({ name: name.slice(FILTER_PREFIX.length), condition }));
  const order = oneOf(ORDERS, parameters.get('order'));
  const trouble = oneOf(TROUBLE_FILTERS, parameters.get('trouble'));
  const known = oneOf(FLAGS, parameters.get('acknowledged'));
  const retired = oneOf(RETIRED_FILTERS, parameters.get('retired'));
  const q = text('q');
  const site = text('site');
  const type = text('type');
  const firmware = text('firmware');
  return {
    ...(q === undefined ? {} : { q }),
    ...(status === undefined ? {} : { status }),
    ...(liveness === undefined ? {} : { liveness }),
    ...(trouble === undefined ? {} : { trouble }),
    ...(known === undefined ? {} : { acknowledged: known === 'true' }),
    ...(retired === undefined ? {} : { retired }),
    ...(site === undefined ? {} : { site }),
    ...(type === undefined ? {} : { type }),
    ...(firmware === undefined ? {} : { firmware }),
    ...(attributes.length === 0 ? {} : { attributes }),
    ...(sort === undefined ? {} : { sort }),
    ...(sort === undefined || order === undefined ? {} : { order }),
  };
}

/** The query as parameters, in one fixed order: equal queries give equal text. */
export function writeFleetQuery(query: FleetQuery): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const name of FLEET_PARAMETERS) {
    const value = query[name];
    if (value !== undefined) parameters.set(name, String(value));
  }
  for (const { name, condition } of query.attributes ?? [])
    parameters.append(`${FILTER_PREFIX}${name}`, condition);
  return parameters;
}

/** Whether anything narrows the fleet; sorting does not. */
export function isFiltered(query: FleetQuery): boolean {
  if (query.attributes !== undefined) return true;
  return FLEET_PARAMETERS.some((name) => name !== 'sort' && name !== 'order' && query[name] !== undefined);
}
