import type { EventJson, WholeDevice } from '@twinstream/api-contract';
import { useMemo } from 'preact/hooks';
import { positionOf, trackOf } from '../model/position.ts';
import { countText } from '../model/value-text.ts';
import { GeoMap } from '../parts/geo-map.tsx';

interface TrackCardProps {
  readonly device: WholeDevice;
  readonly events: readonly EventJson[];
  readonly timeOf: (event: EventJson) => number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly atMs: number | undefined;
}

/** Where the device was in the window of the slider, and at its moment. Nothing for a device without positions. */
export function TrackCard({ device, events, timeOf, fromMs, toMs, atMs }: TrackCardProps) {
  const track = useMemo(
    () => trackOf(events, timeOf).filter(({ timeMs }) => timeMs >= fromMs && timeMs <= toMs),
    [events, timeOf, fromMs, toMs],
  );
  const points = useMemo(() => {
    const position = positionOf(device.attributes);
    return position === undefined ? [] : [{ ...position, ...device }];
  }, [device]);
  if (track.length < 2) return null;
  const mark = atMs === undefined ? undefined : track.findLast(({ timeMs }) => timeMs <= atMs);
  return (
    <section class="card" aria-labelledby="track-title">
      <div class="card-line">
        <h2 id="track-title">Track</h2>
        <p class="muted">{countText(track.length)} positions</p>
      </div>
      <GeoMap
        label={`Track of ${device.deviceId}: ${countText(track.length)} positions`}
        points={points}
        track={track}
        mark={mark}
      />
    </section>
  );
}
