import type { ComponentChildren } from 'preact';

/** A cell of a virtual grid: the grid has the focus, and names its row. */
export function Cell({ of, children }: { readonly of: string; readonly children?: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: rows laid out as a CSS grid are no table to a browser.
    // biome-ignore lint/a11y/useFocusableInteractive: the grid itself has the focus.
    <div role="gridcell" class={`cell-${of}`}>
      {children}
    </div>
  );
}
