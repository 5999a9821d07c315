import type { Liveness } from '@twinstream/api-contract';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type Bounds, boundsOf, type Position, roundStep, type TrackPoint } from '../model/position.ts';
import { paletteVersion } from '../session/preferences.ts';
import { Icon } from './icon.tsx';
import { resolveColour } from './palette.ts';

export interface MapPoint extends Position {
  readonly deviceId: string;
  readonly liveness: Liveness;
}

export interface GeoMapProps {
  /** What the map shows, for those who cannot see it. */
  readonly label: string;
  readonly points: readonly MapPoint[];
  /** By rising time. */
  readonly track?: readonly TrackPoint[];
  /** Where the device of the track was at the moment shown. */
  readonly mark?: Position | undefined;
  readonly selected?: string | undefined;
  /** Told the device whose point was clicked. */
  readonly onPick?: (deviceId: string) => void;
}

/** Middle of the map in degrees, and pixels of a degree of latitude. */
interface Camera {
  readonly latitude: number;
  readonly longitude: number;
  readonly scale: number;
}

const MARGIN = 28;
const SCALE_MAX = 4e6;
const SCALE_MIN = 1;
const ZOOM_STEP = 1.6;
/** Pixels between the lines of the graticule, at least. */
const LINE_SPACE = 90;
const BUTTONS_HEIGHT = 60;
const PICK_RADIUS = 12;
const KM_PER_DEGREE = 111.32;
const FONT = '11px system-ui, sans-serif';

function fit({ west, east, south, north }: Bounds, width: number, height: number): Camera {
  const latitude = (south + north) / 2;
  const wide = (east - west) * Math.cos((latitude * Math.PI) / 180);
  const scale = Math.min((width - 2 * MARGIN) / wide, (height - 2 * MARGIN) / (north - south));
  return { latitude, longitude: (west + east) / 2, scale: Math.min(SCALE_MAX, Math.max(SCALE_MIN, scale)) };
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly camera: Camera;
}

function squeeze({ latitude }: Camera): number {
  return Math.max(0.01, Math.cos((latitude * Math.PI) / 180));
}

function pixelOf(
  { width, height, camera }: Frame,
  { latitude, longitude }: Position,
): readonly [number, number] {
  return [
    width / 2 + (longitude - camera.longitude) * squeeze(camera) * camera.scale,
    height / 2 - (latitude - camera.latitude) * camera.scale,
  ];
}

function degreesText(value: number, step: number, [above, below]: readonly [string, string]): string {
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  return `${Math.abs(value).toFixed(digits)}° ${value < 0 ? below : above}`;
}

/** Meridians and parallels at round degrees, with their names, and a scale of round kilometres. */
function drawGraticule(context: CanvasRenderingContext2D, frame: Frame): void {
  const { width, height, camera } = frame;
  context.strokeStyle = resolveColour('--line');
  context.fillStyle = resolveColour('--text-muted');
  context.lineWidth = 1;
  context.font = FONT;
  const east = camera.scale * squeeze(camera);
  const stepEast = roundStep(LINE_SPACE / east);
  const stepNorth = roundStep(LINE_SPACE / camera.scale);
  const line = (fromX: number, fromY: number, toX: number, toY: number): void => {
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.lineTo(toX, toY);
    context.stroke();
  };
  const west = camera.longitude - width / 2 / east;
  for (let degree = Math.ceil(west / stepEast) * stepEast; ; degree += stepEast) {
    const [x] = pixelOf(frame, { latitude: 0, longitude: degree });
    if (x > width) break;
    line(x, 0, x, height);
    context.fillText(degreesText(degree, stepEast, ['E', 'W']), x + 4, height - 6);
  }
  const south = camera.latitude - height / 2 / camera.scale;
  for (let degree = Math.ceil(south / stepNorth) * stepNorth; ; degree += stepNorth) {
    const [, y] = pixelOf(frame, { latitude: degree, longitude: camera.longitude });
    if (y < 0) break;
    line(0, y, width, y);
    // Below the buttons.
    if (y > BUTTONS_HEIGHT) context.fillText(degreesText(degree, stepNorth, ['N', 'S']), 4, y - 4);
  }
  const kilometres = roundStep((LINE_SPACE / camera.scale) * KM_PER_DEGREE);
  const length = (kilometres / KM_PER_DEGREE) * camera.scale;
  context.strokeStyle = resolveColour('--text');
  context.fillStyle = resolveColour('--text');
  context.lineWidth = 2;
  const y = height - 28;
  line(width - 12 - length, y, width - 12, y);
  context.fillText(
    kilometres < 1 ? `${Math.round(kilometres * 1_000)} m` : `${kilometres} km`,
    width - 12 - length,
    y - 6,
  );
}

function drawTrack(context: CanvasRenderingContext2D, frame: Frame, track: readonly TrackPoint[]): void {
  context.strokeStyle = resolveColour('--series-2');
  context.lineWidth = 2;
  context.lineJoin = 'round';
  context.beginPath();
  for (const [index, point] of track.entries()) {
    const [x, y] = pixelOf(frame, point);
    if (index === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  }
  context.stroke();
}

function dot(context: CanvasRenderingContext2D, [x, y]: readonly [number, number], radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function draw(context: CanvasRenderingContext2D, frame: Frame, props: GeoMapProps): void {
  const { width, height } = frame;
  context.clearRect(0, 0, width, height);
  drawGraticule(context, frame);
  if (props.track !== undefined) drawTrack(context, frame, props.track);
  const radius = props.points.length > 2_000 ? 2 : 4;
  for (const liveness of ['offline', 'stale', 'unknown', 'online'] as const) {
    context.fillStyle = resolveColour(liveness === 'unknown' ? '--offline' : `--${liveness}`);
    for (const point of props.points) {
      if (point.liveness === liveness) dot(context, pixelOf(frame, point), radius);
    }
  }
  const marked = props.mark ?? props.points.find(({ deviceId }) => deviceId === props.selected);
  if (marked === undefined) return;
  context.strokeStyle = resolveColour('--accent');
  context.lineWidth = 3;
  context.beginPath();
  context.arc(...pixelOf(frame, marked), 8, 0, 2 * Math.PI);
  context.stroke();
}

/** Positions on a graticule: no tiles, since the page asks nobody but its API. Wheel and drag zoom and move; so do the buttons. */
export function GeoMap(props: GeoMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState<readonly [number, number]>([0, 0]);
  const [moved, setMoved] = useState<Camera>();
  const dragged = useRef<{ x: number; y: number; isFar: boolean }>(undefined);
  const { points, track = [] } = props;
  const all = useMemo(
    () => boundsOf(track.length > 0 && points.length <= 1 ? track : [...points, ...track]),
    [points, track],
  );
  const [width, height] = size;
  const camera = moved ?? (all === undefined || width === 0 ? undefined : fit(all, width, height));
  const palette = paletteVersion.value;

  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setSize([element.clientWidth, element.clientHeight]));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context || camera === undefined) return;
    element.width = width * devicePixelRatio;
    element.height = height * devicePixelRatio;
    context.scale(devicePixelRatio, devicePixelRatio);
    draw(context, { width, height, camera }, props);
  }, [camera, width, height, palette, points, props.track, props.mark, props.selected]);

  const zoom = (factor: number): void => {
    if (camera !== undefined)
      setMoved({ ...camera, scale: Math.min(SCALE_MAX, Math.max(SCALE_MIN, camera.scale * factor)) });
  };
  const pan = (x: number, y: number): void => {
    if (camera === undefined) return;
    const longitude = camera.longitude - x / camera.scale / squeeze(camera);
    setMoved({
      ...camera,
      longitude,
      latitude: Math.min(89, Math.max(-89, camera.latitude + y / camera.scale)),
    });
  };
  const pick = (x: number, y: number): void => {
    if (camera === undefined) return;
    let nearest: { deviceId: string; distance: number } | undefined;
    for (const point of points) {
      const [pointX, pointY] = pixelOf({ width, height, camera }, point);
      const distance = Math.hypot(pointX - x, pointY - y);
      if (distance <= PICK_RADIUS && distance < (nearest?.distance ?? Number.POSITIVE_INFINITY))
        nearest = { deviceId: point.deviceId, distance };
    }
    if (nearest !== undefined) props.onPick?.(nearest.deviceId);
  };
  return (
    <div class="geo-map">
      <canvas
        ref={canvas}
        role="img"
        aria-label={props.label}
        onWheel={(event) => {
          if (!event.ctrlKey && !event.shiftKey) return;
          event.preventDefault();
          zoom(event.deltaY < 0 ? ZOOM_STEP : 1 / ZOOM_STEP);
        }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          dragged.current = { x: event.offsetX, y: event.offsetY, isFar: false };
        }}
        onPointerMove={(event) => {
          const from = dragged.current;
          if (from === undefined) return;
          const [x, y] = [event.offsetX - from.x, event.offsetY - from.y];
          if (!from.isFar && Math.hypot(x, y) < 4) return;
          dragged.current = { x: event.offsetX, y: event.offsetY, isFar: true };
          pan(x, y);
        }}
        onPointerUp={(event) => {
          if (dragged.current?.isFar === false) pick(event.offsetX, event.offsetY);
          dragged.current = undefined;
        }}
        onPointerCancel={() => {
          dragged.current = undefined;
        }}
      />
      <div class="geo-buttons">
        <button type="button" class="button is-icon" aria-label="Zoom in" onClick={() => zoom(ZOOM_STEP)}>
          +
        </button>
        <button
          type="button"
          class="button is-icon"
          aria-label="Zoom out"
          onClick={() => zoom(1 / ZOOM_STEP)}
        >
          −
        </button>
        <button
          type="button"
          class="button"
          disabled={moved === undefined}
          onClick={() => setMoved(undefined)}
        >
          <Icon name="total" />
          Show all
        </button>
      </div>
    </div>
  );
}
