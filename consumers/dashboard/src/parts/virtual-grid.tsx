// biome-ignore-all lint/a11y/useSemanticElements: rows laid out as a CSS grid are no table to a browser.
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid itself has the focus, and names its active row.
// biome-ignore-all lint/a11y/useKeyWithClickEvents: the grid itself takes the keys, for whichever row is active.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useVisibleRange } from './visible-range.ts';

export interface GridColumn {
  /** Its first word is the class of its cells, after `cell-`. */
  readonly key: string;
  readonly header: ComponentChildren;
  readonly sort?: 'ascending' | 'descending';
}

/** Where the viewer is in a grid; written by it. */
export interface GridPlace {
  scrollTop: number;
  activeRow: number;
}

export interface VirtualGridProps<Item> {
  readonly label: string;
  /** Class of the grid: its style sheet gives the columns. */
  readonly class: string;
  readonly columns: readonly GridColumn[];
  readonly rowCount: number;
  /** What a row shows. */
  readonly itemOf: (row: number) => Item;
  /** Draws the cells of a row, in the order of the columns. */
  readonly cells: (item: Item) => ComponentChildren;
  readonly rowClass: (row: number) => string;
  readonly onOpen: (row: number) => void;
  /** Told which rows are drawn. */
  readonly onRange?: (first: number, last: number) => void;
  /** A row to bring into view whenever it becomes another. */
  readonly bringRow?: number;
  /** How many rows have come on top so far: what is looked at stays where it is. */
  readonly shiftRows?: number;
  /** Value of the custom property `--columns`: the widths. Default: the style sheet's. */
  readonly widths?: string;
  /** Whenever it becomes another, the viewer is taken to the top. */
  readonly topKey?: unknown;
  /** Kept by the caller, so that the viewer comes back to the same place. */
  readonly place: GridPlace;
}

/** Where a key moves to; undefined for keys that do not move. */
function targetOfKey(key: string, active: number, rowCount: number, pageRows: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
      return active + 1;
    case 'ArrowUp':
      return active - 1;
    case 'PageDown':
      return active + pageRows;
    case 'PageUp':
      return active - pageRows;
    case 'Home':
      return 0;
    case 'End':
      return rowCount - 1;
    default:
      return undefined;
  }
}

/** Scrolls as little as shows a row whole, below the sticky header. */
function scrollToRow(scroller: HTMLElement, row: number, rowHeight: number): void {
  const headerHeight = scroller.firstElementChild?.clientHeight ?? 0;
  const top = row * rowHeight;
  const bottom = top + rowHeight + headerHeight;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (bottom > scroller.scrollTop + scroller.clientHeight)
    scroller.scrollTop = bottom - scroller.clientHeight;
}

function Head({ columns }: { readonly columns: readonly GridColumn[] }) {
  return (
    <div role="rowgroup" class="grid-head">
      <div role="row" aria-rowindex={1} class="grid-row">
        {columns.map(({ key, header, sort }) => (
          <div
            key={key}
            role="columnheader"
            class={`cell-${key.split(' ', 1)[0]}`}
            {...(sort ? { 'aria-sort': sort } : {})}
          >
            {header}
          </div>
        ))}
      </div>
    </div>
  );
}

/** The row that a click means: not where it means a link, nor where it ends the selection of a text. */
function rowOfClick(event: MouseEvent): number | undefined {
  if (!(event.target instanceof Element) || event.target.closest('a') !== null) return undefined;
  if (getSelection()?.isCollapsed === false) return undefined;
  const element = event.target.closest<HTMLElement>('[data-row]');
  return element === null ? undefined : Number(element.dataset.row);
}

/**
 * Elements of rows are used again for other rows, so many at least: scrolling then changes texts and makes nothing. Rows
 * are never kept from being drawn (memo, useMemo): Preact hangs a kept row below the new tree while an old one still
 * refers to it, and so all trees hold each other (preactjs/preact#4909).
 */
const SLOTS_MIN = 32;

/**
 * A grid of which only the rows on the screen exist. One tab stop: the arrows, Page Up, Page Down, Home and End move,
 * Enter opens. Rows are as high as the line height of `.grid-body`.
 */
export function VirtualGrid<Item>(props: VirtualGridProps<Item>) {
  const {
    label,
    columns,
    rowCount,
    itemOf,
    cells,
    rowClass,
    onOpen,
    onRange,
    bringRow,
    shiftRows = 0,
    widths,
    topKey,
    place,
  } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const { range, rowHeight } = useVisibleRange(scroller, body, rowCount);
  const [active, setActive] = useState(place.activeRow);
  const [hasFocus, setHasFocus] = useState(false);
  const activeRow = Math.max(0, Math.min(active, rowCount - 1));
  place.activeRow = activeRow;

  useLayoutEffect(() => {
    if (scroller.current !== null) scroller.current.scrollTop = place.scrollTop;
  }, [place]);
  const shownTop = useRef(topKey);
  useLayoutEffect(() => {
    if (shownTop.current === topKey) return;
    shownTop.current = topKey;
    if (scroller.current !== null) scroller.current.scrollTop = 0;
    setActive(0);
  }, [topKey]);
  const shifted = useRef(shiftRows);
  useLayoutEffect(() => {
    const rows = shiftRows - shifted.current;
    shifted.current = shiftRows;
    const element = scroller.current;
    if (rows === 0 || element === null || element.scrollTop === 0) return;
    element.scrollTop += rows * rowHeight;
    setActive((held) => held + rows);
  }, [shiftRows, rowHeight]);
  useEffect(() => onRange?.(range.first, range.last), [range, onRange]);
  useEffect(() => {
    const element = scroller.current;
    if (bringRow !== undefined && element !== null) {
      element.scrollTop = Math.max(0, bringRow * rowHeight - element.clientHeight / 2);
    }
  }, [bringRow, rowHeight]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const element = scroller.current;
    if (element === null || event.target !== element || event.altKey || event.ctrlKey || event.metaKey)
      return;
    const pageRows = Math.max(1, Math.floor(element.clientHeight / rowHeight) - 2);
    const target = targetOfKey(event.key, activeRow, rowCount, pageRows);
    if (target !== undefined) {
      const row = Math.max(0, Math.min(target, rowCount - 1));
      setActive(row);
      scrollToRow(element, row, rowHeight);
    } else if (event.key === 'Enter' && rowCount > 0) onOpen(activeRow);
    else return;
    event.preventDefault();
  };
  const onClick = (event: MouseEvent): void => {
    const row = rowOfClick(event);
    if (row === undefined) return;
    setActive(row);
    onOpen(row);
  };
  const idOf = (row: number): string => `${props.class}-row-${row}`;
  const last = Math.min(range.last, rowCount);
  const slots = Math.max(SLOTS_MIN, last - range.first);
  const rows: ComponentChildren[] = [];
  for (let row = range.first; row < last; row += 1) {
    rows.push(
      <div
        key={row % slots}
        id={idOf(row)}
        role="row"
        data-row={row}
        aria-rowindex={row + 2}
        aria-selected={hasFocus && row === activeRow}
        class={`grid-row ${rowClass(row)}`}
      >
        {cells(itemOf(row))}
      </div>,
    );
  }
  const isActiveDrawn = activeRow >= range.first && activeRow < last;
  return (
    <div
      ref={scroller}
      role="grid"
      aria-label={label}
      aria-rowcount={rowCount + 1}
      aria-colcount={columns.length}
      tabIndex={0}
      class={`grid ${props.class}`}
      style={{ '--rows': rowCount, ...(widths === undefined ? {} : { '--columns': widths }) }}
      onKeyDown={onKeyDown}
      onClick={onClick}
      onFocus={(event) => setHasFocus(event.target === scroller.current)}
      onBlur={() => setHasFocus(false)}
      onScroll={(event) => {
        place.scrollTop = event.currentTarget.scrollTop;
      }}
      {...(isActiveDrawn ? { 'aria-activedescendant': idOf(activeRow) } : {})}
    >
      <Head columns={columns} />
      <div ref={body} role="rowgroup" class="grid-body" style={{ height: `${rowCount * rowHeight}px` }}>
        <div class="grid-window" style={{ transform: `translateY(${range.first * rowHeight}px)` }}>
          {rows}
        </div>
      </div>
    </div>
  );
}
