import type { JSX } from 'preact';

// Drawn on a grid of 16, in strokes of the colour of the text beside them. Created for each use: a vnode that is used
// twice holds on to the tree in which it was used first.
const SHAPES = {
  online: () => (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M5.3 8.2 7.2 10l3.5-4" />
    </>
  ),
  stale: () => (
    <>
      <circle cx="8" cy="8" r="6" stroke-dasharray="2.6 2.1" />
      <path d="M8 5v3.2l2 1.3" />
    </>
  ),
  unknown: () => (
    <>
      <circle cx="8" cy="8" r="6" stroke-dasharray="2.6 2.1" />
      <path d="M6.2 6.4a1.8 1.8 0 1 1 2.6 1.6c-.5.3-.8.6-.8 1.2M8 11.2v.2" />
    </>
  ),
  offline: () => (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="m3.9 3.9 8.2 8.2" />
    </>
  ),
  trouble: () => (
    <>
      <path d="M8 2.2 14.4 13.4H1.6z" stroke-linejoin="round" />
      <path d="M8 6.4v3.2M8 11.4v.3" />
    </>
  ),
  total: () => (
    <>
      <rect x="2.2" y="2.2" width="4.6" height="4.6" rx="1" />
      <rect x="9.2" y="2.2" width="4.6" height="4.6" rx="1" />
      <rect x="2.2" y="9.2" width="4.6" height="4.6" rx="1" />
      <rect x="9.2" y="9.2" width="4.6" height="4.6" rx="1" />
    </>
  ),
  search: () => (
    <>
      <circle cx="7" cy="7" r="4.4" />
      <path d="m10.4 10.4 3.4 3.4" />
    </>
  ),
  pause: () => <path d="M5.5 3.5v9M10.5 3.5v9" stroke-width="2" />,
  play: () => <path d="M5 3.2v9.6L12.6 8z" stroke-linejoin="round" />,
  sun: () => (
    <>
      <circle cx="8" cy="8" r="2.8" />
      <path d="M8 1.6v1.6M8 12.8v1.6M1.6 8h1.6M12.8 8h1.6M3.5 3.5l1.1 1.1M11.4 11.4l1.1 1.1M12.5 3.5l-1.1 1.1M4.6 11.4l-1.1 1.1" />
    </>
  ),
  moon: () => <path d="M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z" stroke-linejoin="round" />,
  system: () => (
    <>
      <rect x="1.8" y="2.8" width="12.4" height="8.2" rx="1.2" />
      <path d="M6 13.6h4" />
    </>
  ),
  back: () => <path d="M9.6 3.4 5 8l4.6 4.6" />,
  close: () => <path d="m4 4 8 8M12 4l-8 8" />,
  up: () => <path d="M8 12.6V3.8M4.4 7.2 8 3.6l3.6 3.6" />,
  down: () => <path d="M8 3.4v8.8M4.4 8.8 8 12.4l3.6-3.6" />,
  next: () => <path d="M6.4 3.4 11 8l-4.6 4.6" />,
  late: () => (
    <>
      <path d="M2.6 5.2A6 6 0 1 1 2 8M2.4 2.4v3h3" />
      <path d="M8 5v3.2l2 1.3" />
    </>
  ),
  gap: () => <path d="M1.6 8h3.2M11.2 8h3.2M6.4 5.4v5.2M9.6 5.4v5.2" />,
  correction: () => <path d="m3 13 .6-2.8 7-7 2.2 2.2-7 7L3 13zM9 4.8 11.2 7" stroke-linejoin="round" />,
  session: () => <path d="M13.2 6A5.6 5.6 0 1 0 13.6 8.6M13.6 2.6V6h-3.4" />,
  repaired: () => (
    <path
      d="M10 2.4a3.4 3.4 0 0 0-3.2 4.6l-4.4 4.4 2.2 2.2L9 9.2A3.4 3.4 0 0 0 13.6 6l-2.2.6-2-2z"
      stroke-linejoin="round"
    />
  ),
  connected: () => (
    <path d="M6 10 4.6 11.4a2.4 2.4 0 0 1-3.4-3.4L3.6 5.6A2.4 2.4 0 0 1 7 5.6M10 6l1.4-1.4a2.4 2.4 0 0 1 3.4 3.4l-2.4 2.4a2.4 2.4 0 0 1-3.4 0M5.8 10.2l4.4-4.4" />
  ),
  reported: () => <path d="M1.8 8h2.6L6.4 3.6l3.2 8.8L11.6 8h2.6" stroke-linejoin="round" />,
  keyboard: () => (
    <>
      <rect x="1.4" y="4" width="13.2" height="8" rx="1.2" />
      <path d="M4 6.6h.2M6.6 6.6h.2M9.2 6.6h.2M11.8 6.6h.2M5 9.6h6" />
    </>
  ),
  live: () => (
    <>
      <circle cx="8" cy="8" r="1.6" fill="currentColor" stroke="none" />
      <path d="M4.8 11.2a4.5 4.5 0 0 1 0-6.4M11.2 4.8a4.5 4.5 0 0 1 0 6.4M2.6 13.4a7.6 7.6 0 0 1 0-10.8M13.4 2.6a7.6 7.6 0 0 1 0 10.8" />
    </>
  ),
  polling: () => (
    <path d="M13.2 6.4A5.4 5.4 0 0 0 3.4 5M2.8 9.6A5.4 5.4 0 0 0 12.6 11M3.2 2.4V5h2.6M12.8 13.6V11h-2.6" />
  ),
  lost: () => (
    <path d="M2 2l12 12M3.4 9.2a6.6 6.6 0 0 1 2.2-1.7M8.8 6.7a6.6 6.6 0 0 1 3.8 2.5M1.4 6.4A9.8 9.8 0 0 1 4 4.6M7.2 3.7a9.8 9.8 0 0 1 7.4 2.7M8 12.6v.1" />
  ),
  locked: () => (
    <>
      <rect x="3" y="7" width="10" height="7" rx="1.4" />
      <path d="M5.2 7V5a2.8 2.8 0 0 1 5.6 0v2" />
    </>
  ),
  copy: () => (
    <>
      <rect x="5.4" y="5.4" width="8.2" height="8.2" rx="1.4" />
      <path d="M10.6 5.4V3.8a1.4 1.4 0 0 0-1.4-1.4H3.8a1.4 1.4 0 0 0-1.4 1.4v5.4a1.4 1.4 0 0 0 1.4 1.4h1.6" />
    </>
  ),
  archive: () => (
    <>
      <rect x="1.8" y="2.6" width="12.4" height="3.4" rx="1" />
      <path d="M3 6v6.2a1.2 1.2 0 0 0 1.2 1.2h7.6a1.2 1.2 0 0 0 1.2-1.2V6M6.4 8.8h3.2" />
    </>
  ),
  lag: () => (
    <>
      <circle cx="8" cy="9" r="5" />
      <path d="M8 9V6M6.4 1.8h3.2M12 4.6l1-1" />
    </>
  ),
} satisfies Record<string, () => JSX.Element>;

export type IconName = keyof typeof SHAPES;

/** Stands beside the text that says the same, so that readers of the page need not be told twice. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {SHAPES[name]()}
    </svg>
  );
}
