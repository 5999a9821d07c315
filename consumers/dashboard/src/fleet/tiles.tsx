import type { FleetSummary } from '@twinstream/api-contract';
import { ageText } from '../model/age.ts';
import type { FleetQuery } from '../model/fleet-query.ts';
import { countText } from '../model/value-text.ts';
import { Icon, type IconName } from '../parts/icon.tsx';
import { fleetQuery, setFleetQuery } from '../session/address.ts';
import { tileSummary } from '../session/summary-session.ts';

interface Tile {
  readonly key: IconName;
  readonly label: string;
  /** For where there is little room. */
  readonly short?: string;
  readonly hint: string;
  readonly count: number | undefined;
  readonly isOn: boolean;
  /** Beside the count. */
  readonly note: string;
  readonly query: FleetQuery;
}

/** The query with the tile's own filter in place of any other tile's. */
function withTile(
  { liveness: _liveness, trouble: _trouble, acknowledged: _acknowledged, ...rest }: FleetQuery,
  own: FleetQuery,
): FleetQuery {
  return { ...rest, ...own };
}

function tilesOf(query: FleetQuery): readonly Tile[] {
  const counts = tileSummary.value;
  const { liveness, trouble } = query;
  return [
    {
      key: 'total',
      label: 'All devices',
      short: 'All',
      hint: 'Everything ever heard of',
      count: counts?.total,
      isOn: liveness === undefined && trouble === undefined,
      note: '',
      query: withTile(query, {}),
    },
    {
      key: 'online',
      label: 'Online',
      hint:
        counts === undefined
          ? 'Heard within their time'
          : `Heard within ${ageText(counts.thresholds.default.staleAfterMs)}, or what their type allows`,
      count: counts?.byLiveness.online,
      isOn: liveness === 'online',
      note: shareText(counts?.byLiveness.online, counts?.total),
      query: withTile(query, { liveness: 'online' }),
    },
    ...unknownTile(query, counts),
    {
      key: 'stale',
      label: 'Stale',
      hint:
        counts === undefined
          ? 'Silent for longer than they should be'
          : `Silent for over ${ageText(counts.thresholds.default.staleAfterMs)}, or what their type allows`,
      count: counts?.byLiveness.stale,
      isOn: liveness === 'stale',
      note: shareText(counts?.byLiveness.stale, counts?.total),
      query: withTile(query, { liveness: 'stale' }),
    },
    {
      key: 'offline',
      label: 'Offline',
      hint:
        counts === undefined
          ? 'Not heard for long'
          : `Silent for over ${ageText(counts.thresholds.default.offlineAfterMs)}, or what their type allows`,
      count: counts?.byLiveness.offline,
      isOn: liveness === 'offline',
      note: shareText(counts?.byLiveness.offline, counts?.total),
      query: withTile(query, { liveness: 'offline' }),
    },
    {
      key: 'trouble',
      label: 'Needs attention',
      short: 'Trouble',
      hint: 'Offline without a disconnect message, or with missing events',
      count: counts?.inTrouble,
      isOn: trouble === 'any',
      note: troubleText(counts),
      query: withTile(query, { trouble: 'any' }),
    },
  ];
}

/** Shown while the pipeline lags so far that devices may be silent or not. */
function unknownTile(query: FleetQuery, counts: FleetSummary | undefined): readonly Tile[] {
  const isOn = query.liveness === 'unknown';
  const count = counts?.byLiveness.unknown;
  if (!isOn && (count === undefined || count === 0)) return [];
  return [
    {
      key: 'unknown',
      label: 'Unknown',
      hint: 'Silent by the clock, while their events may wait in the pipeline',
      count,
      isOn,
      note: shareText(count, counts?.total),
      query: withTile(query, { liveness: 'unknown' }),
    },
  ];
}

function shareText(count: number | undefined, total: number | undefined): string {
  if (count === undefined || total === undefined || count === 0 || total === 0) return '';
  const share = (100 * count) / total;
  if (share < 0.1) return '<0.1 %';
  return `${share.toFixed(share < 10 || (share > 90 && share < 100) ? 1 : 0)} %`;
}

function troubleText(counts: FleetSummary | undefined): string {
  const { silent = 0, gaps = 0 } = counts?.byTrouble ?? {};
  const known = counts === undefined ? 0 : counts.inTrouble - counts.unacknowledged;
  const parts = [
    ...(silent > 0 ? [`${countText(silent)} silent`] : []),
    ...(gaps > 0 ? [`${countText(gaps)} with gaps`] : []),
    ...(known > 0 ? [`${countText(known)} known`] : []),
  ];
  return parts.join(', ');
}

/** The whole fleet in a few numbers, each a filter. */
export function Tiles() {
  const query = fleetQuery.value;
  return (
    <section class="tiles" aria-label="Fleet at a glance">
      {tilesOf(query).map(({ key, label, short = label, hint, count, isOn, note, query: wanted }) => (
        <button
          key={key}
          type="button"
          class={`tile is-${key} ${count === undefined || count === 0 ? 'is-none' : ''}`}
          aria-pressed={isOn}
          title={hint}
          onClick={() => setFleetQuery(isOn ? withTile(query, {}) : wanted)}
        >
          <span class="tile-label">
            <Icon name={key} />
            <span class="tile-long">{label}</span>
            <span class="tile-short" aria-hidden="true">
              {short}
            </span>
          </span>
          <span class="tile-count">{count === undefined ? '–' : countText(count)}</span>
          <span class="tile-share">{note}</span>
        </button>
      ))}
    </section>
  );
}
