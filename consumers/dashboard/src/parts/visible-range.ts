import type { RefObject } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useState } from 'preact/hooks';

/** Rows drawn beyond each edge of the screen. */
const MARGIN_ROWS = 5;
const ROW_HEIGHT_FALLBACK = 32;

/** Rows to draw: the first, and the one after the last. */
export interface VisibleRange {
  readonly first: number;
  readonly last: number;
}

function rowHeightOf(body: HTMLElement): number {
  const height = Number.parseFloat(getComputedStyle(body).lineHeight);
  return height > 0 ? height : ROW_HEIGHT_FALLBACK;
}

/** Which rows are on the screen of a scroller, and how high one is: the line height of the body. Follows size and scrolling. */
export function useVisibleRange(
  scroller: RefObject<HTMLElement | null>,
  body: RefObject<HTMLElement | null>,
  rowCount: number,
): { readonly range: VisibleRange; readonly rowHeight: number } {
  const [range, setRange] = useState<VisibleRange>({ first: 0, last: 0 });
  const [rowHeight, setRowHeight] = useState(ROW_HEIGHT_FALLBACK);
  const follow = useCallback(
    (height: number): void => {
      const element = scroller.current;
      if (element === null) return;
      const top = Math.max(0, element.scrollTop);
      const first = Math.max(0, Math.min(Math.floor(top / height) - MARGIN_ROWS, rowCount - 1));
      const last = Math.min(rowCount, Math.ceil((top + element.clientHeight) / height) + MARGIN_ROWS);
      setRange((held) => (held.first === first && held.last === last ? held : { first, last }));
    },
    [rowCount, scroller],
  );
  const measure = useCallback((): void => {
    if (body.current === null) return;
    const height = rowHeightOf(body.current);
    setRowHeight(height);
    follow(height);
  }, [follow, body]);

  useLayoutEffect(measure, [measure]);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const onScroll = (): void => follow(rowHeight);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, [follow, measure, rowHeight, scroller]);
  return { range, rowHeight };
}
