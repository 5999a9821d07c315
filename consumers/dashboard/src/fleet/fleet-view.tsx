import { isFiltered } from '../model/fleet-query.ts';
import { countText } from '../model/value-text.ts';
import { Icon } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { FailureNotice, Notice, StaleNote } from '../parts/notice.tsx';
import { fleetQuery } from '../session/address.ts';
import {
  isListLoading,
  isOutOfOrder,
  leftIds,
  listFailure,
  newcomerCount,
  ROWS_MAX,
  readFromStart,
  rereadFailure,
  rowCount,
  rowIds,
  shownQuery,
} from '../session/fleet-session.ts';
import { FilterBar } from './filter-bar.tsx';
import { FleetGrid } from './fleet-grid.tsx';
import { ColumnsMenu, ExportMenu, ViewsMenu } from './list-menus.tsx';
import { Tiles } from './tiles.tsx';
import { TroubleLine } from './trouble-line.tsx';

/** How many rows there are, and that more have come: they wait until they are asked for, so that no row jumps. */
function ListLine() {
  const count = rowCount.value;
  const more = newcomerCount.value;
  const fewer = leftIds.value.size;
  const changes = [
    ...(more > 0 ? [`+${countText(more)} new`] : []),
    ...(fewer > 0 ? [`${countText(fewer)} left the filter`] : []),
    ...(isOutOfOrder.value ? ['out of order: sort again'] : []),
  ];
  return (
    <div class="list-line">
      <div role="status">
        {changes.length > 0 && (
          <button
            type="button"
            class="button is-accent"
            title="Read the list again, in its present order"
            onClick={() => void readFromStart(fleetQuery.peek())}
          >
            <Icon name="polling" />
            {changes.join(', ')}
          </button>
        )}
      </div>
      <p class="list-count">
        {shownQuery.value !== undefined && `${countText(count)} ${count === 1 ? 'device' : 'devices'}`}
        {count >= ROWS_MAX && ' shown, of more: narrow the filter'}
      </p>
    </div>
  );
}

function Rows() {
  const failure = listFailure.value;
  // A query that the API refuses has no rows; one that it cannot answer now leaves those that are there.
  const isRefused = failure?.kind === 'refused' && failure.status < 500;
  if (failure !== undefined && (rowIds.value.length === 0 || isRefused)) {
    return <FailureNotice failure={failure} what="The fleet" />;
  }
  if (shownQuery.value === undefined) {
    return (
      <Notice icon="polling" title="Reading the fleet">
        The first answer is on its way.
      </Notice>
    );
  }
  if (rowIds.value.length === 0) {
    return isFiltered(shownQuery.value) ? (
      <Notice icon="search" title="No device meets these filters">
        Take one away, or clear them all.
      </Notice>
    ) : (
      <Notice icon="total" title="No device has been heard yet">
        As soon as the first event has passed the stream, its device stands here.
      </Notice>
    );
  }
  return (
    <>
      <StaleNote failure={failure ?? rereadFailure.value} />
      <FleetGrid />
    </>
  );
}

export function FleetView() {
  return (
    <main id="main" class="fleet-view" tabIndex={-1}>
      <h1 class="visually-hidden">Fleet</h1>
      <Tiles />
      <TroubleLine />
      <div class={`list-bar ${isListLoading.value ? 'is-loading' : ''}`}>
        <FilterBar />
        <div class="list-menus">
          <ColumnsMenu />
          <ViewsMenu />
          <ExportMenu />
          <Link to={{ view: 'past' }} class="button" title="The fleet at a moment of the past">
            <Icon name="lag" />
            Past
          </Link>
        </div>
        <ListLine />
      </div>
      <Rows />
    </main>
  );
}
