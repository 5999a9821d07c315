/** Colours of the series of a plot, as the style sheet names them. Beyond the last they begin again, dashed. */
export const SERIES_COLOURS = [
  '--series-1',
  '--series-2',
  '--series-3',
  '--series-4',
  '--series-5',
  '--series-6',
] as const;

export function seriesColour(index: number): string {
  return SERIES_COLOURS[index % SERIES_COLOURS.length] ?? '--series-1';
}

let probe: HTMLElement | undefined;

/** A colour of the style sheet as it is in the theme of now: canvases know no custom properties. */
export function resolveColour(property: string): string {
  if (probe === undefined) {
    probe = document.createElement('span');
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(${property})`;
  return getComputedStyle(probe).color;
}
