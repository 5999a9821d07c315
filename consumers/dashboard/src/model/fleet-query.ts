import { LIVENESS, type Liveness } from '../api/shapes.ts';

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
] as const;
export type SortKey = (typeof SORT_KEYS)[number];
export const ORDERS = ['asc', 'desc'] as const;
export type Order = (typeof ORDERS)[number];
const STATUSES = ['connected', 'disconnected', 'unknown'] as const;

/** Kinds of trouble that the API tells apart, any of them, or none at all. */
export const TROUBLE_FILTERS = ['any', 'none', 'silent', 'gaps'] as const;
export type TroubleFilter = (typeof TROUBLE_FILTERS)[number];

/** Which devices the fleet view shows, and in what order. It is the part of the URL that people share. */
export interface FleetQuery {
  readonly q?: string;
  readonly status?: (typeof STATUSES)[number];
  readonly liveness?: Liveness;
  readonly trouble?: TroubleFilter;
  readonly site?: string;
  readonly type?: string;
  readonly firmware?: string;
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
] as const satisfies readonly (keyof FleetQuery)[];

function oneOf<T extends string>(known: readonly T[], value: string | null): T | undefined {
  return known.find((one) => one === value);
}

/** The query that an address asks for. What it does not know it leaves out: a shared link never breaks the page. */
export function readFleetQuery(parameters: URLSearchParams): FleetQuery {
  const text = (name: string): string | undefined => parameters.get(name)?.trim() || undefined;
  const status = oneOf(STATUSES, parameters.get('status'));
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
