import { signal } from '@preact/signals';
import { keep, readKept } from '../kept.ts';
import { FLEET_PARAMETERS, isAttributeParameter } from '../model/fleet-query.ts';
import { type AddressChange, LEAVE, parameters } from './address.ts';

const KEY = 'twinstream.views';
const VIEWS_MAX = 50;

/** Filters, order and columns of the fleet under a name. */
export interface SavedView {
  readonly name: string;
  /** Query string of the address, as far as it is of the list. */
  readonly search: string;
}

function isView(value: unknown): value is SavedView {
  if (typeof value !== 'object' || value === null) return false;
  const { name, search }: Partial<Record<keyof SavedView, unknown>> = value;
  return typeof name === 'string' && typeof search === 'string';
}

function readViews(): readonly SavedView[] {
  try {
    const kept: unknown = JSON.parse(readKept('localStorage', KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isView) : [];
  } catch (error) {
    // Another program's text under this key.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

export const savedViews = signal<readonly SavedView[]>(readViews());

function setViews(views: readonly SavedView[]): void {
  savedViews.value = views;
  keep('localStorage', KEY, views.length === 0 ? undefined : JSON.stringify(views));
}

function isOfList(name: string): boolean {
  return name === 'columns' || isAttributeParameter(name) || FLEET_PARAMETERS.some((known) => known === name);
}

/** Keeps what the list shows under a name; the same name again replaces it. */
export function saveView(name: string): void {
  const search = new URLSearchParams([...parameters.peek()].filter(([key]) => isOfList(key))).toString();
  const others = savedViews.peek().filter((view) => view.name !== name);
  setViews([...others, { name, search }].slice(-VIEWS_MAX));
}

export function removeView(name: string): void {
  setViews(savedViews.peek().filter((view) => view.name !== name));
}

/** What leads to a view: the time zone stays as it is. */
export function changeToView({ search }: SavedView): AddressChange {
  const wanted = new URLSearchParams(search);
  const names = new Set([...FLEET_PARAMETERS, 'columns', ...parameters.value.keys(), ...wanted.keys()]);
  const change = [...names].filter(isOfList).map((name) => [name, wanted.getAll(name)] as const);
  return { ...LEAVE, ...Object.fromEntries(change) };
}
