import type { FleetFilter } from '@twinstream/api-contract';
import {
  CONNECTION_STATUSES,
  LIVENESS,
  ORDERS,
  type Order,
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
export type SortKey = (typeof SORT_KEYS)[number];

type Filter<Name extends keyof FleetFilter> = NonNullable<FleetFilter[Name]>;

/** Which devices the fleet view shows, and in what order. It is the part of the URL that people share. */
export interface FleetQuery {
  readonly q?: Filter<'q'>;
  readonly status?: Filter<'status'>;
  readonly liveness?: Filter<'liveness'>;
  readonly trouble?: Filter<'trouble'>;
  readonly site?: Filter<'site'>;
  readonly type?: Filter<'type'>;
  readonly firmware?: Filter<'firmware'>;
  readonly sort?: SortKey;
  readonly order?: Order;
}

/** Parameters of the URL that belong to the fleet query. */
export const FLEET_PARAMETERS = [
  'q',
  'status',
  'liveness',
  'trouble',
  'site',
  'type',
  'firmware',
  'sort',
  'order',
] as const satisfies readonly (keyof FleetQuery & (keyof FleetFilter | 'sort' | 'order'))[];

function oneOf<T extends string>(known: readonly T[], value: string | null): T | undefined {
  return known.find((one) => one === value);
}

/** The query that an address asks for. What it does not know it leaves out: a shared link never breaks the page. */
export function readFleetQuery(parameters: URLSearchParams): FleetQuery {
  const text = (name: string): string | undefined => parameters.get(name)?.trim() || undefined;
  const status = oneOf(CONNECTION_STATUSES, parameters.get('status'));
  const liveness = oneOf(LIVENESS, parameters.get('liveness'));
  const sort = oneOf(SORT_KEYS, parameters.get('sort'));
  const order = oneOf(ORDERS, parameters.get('order'));
  const trouble = oneOf(TROUBLE_FILTERS, parameters.get('trouble'));
  const q = text('q');
  const site = text('site');
  const type = text('type');
  const firmware = text('firmware');
  return {
    ...(q === undefined ? {} : { q }),
    ...(status === undefined ? {} : { status }),
    ...(liveness === undefined ? {} : { liveness }),
    ...(trouble === undefined ? {} : { trouble }),
    ...(site === undefined ? {} : { site }),
    ...(type === undefined ? {} : { type }),
    ...(firmware === undefined ? {} : { firmware }),
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
  return parameters;
}

/** Whether anything narrows the fleet; sorting does not. */
export function isFiltered(query: FleetQuery): boolean {
  return FLEET_PARAMETERS.some((name) => name !== 'sort' && name !== 'order' && query[name] !== undefined);
}
