import type { EventJson } from '@twinstream/api-contract';
import { useMemo } from 'preact/hooks';
import { ageText } from '../model/age.ts';
import type { TimeOf } from '../model/event.ts';
import { type StatusName, statusSpansOf } from '../model/status-spans.ts';

/** Width of the drawing, in units of its own. */
const WIDTH = 1_000;
const HEIGHT = 12;

interface StatusTimelineProps {
  readonly events: readonly EventJson[];
  readonly timeOf: TimeOf;
  readonly fromMs: number;
  readonly toMs: number;
  readonly silenceMs: number;
}

/** What the device said of its connection over the window, and where it was silent. */
export function StatusTimeline({ events, timeOf, fromMs, toMs, silenceMs }: StatusTimelineProps) {
  const spans = useMemo(
    () => statusSpansOf(events, timeOf, { fromMs, toMs, silenceMs }),
    [events, timeOf, fromMs, toMs, silenceMs],
  );
  if (spans.length === 0) return null;
  const totals = new Map<StatusName, number>();
  for (const span of spans) totals.set(span.status, (totals.get(span.status) ?? 0) + span.toMs - span.fromMs);
  const scale = WIDTH / (toMs - fromMs);
  const words = [...totals].map(([status, ms]) => `${status} ${ageText(ms)}`);
  return (
    <figure class="status-timeline">
      <figcaption>
        <span class="muted">Status</span>
        {[...totals].map(([status, ms]) => (
          <span key={status} class={`plot-key is-status-${status}`}>
            {status} {ageText(ms)}
          </span>
        ))}
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Status over time: ${words.join(', ')}`}
      >
        {spans.map((span) => (
          <rect
            key={span.fromMs}
            class={`is-status-${span.status}`}
            x={(span.fromMs - fromMs) * scale}
            y={0}
            width={Math.max(1, (span.toMs - span.fromMs) * scale)}
            height={HEIGHT}
          />
        ))}
      </svg>
    </figure>
  );
}
