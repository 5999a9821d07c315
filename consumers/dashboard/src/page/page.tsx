import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { DeviceView } from '../device/device-view.tsx';
import { FleetView } from '../fleet/fleet-view.tsx';
import { countText } from '../model/value-text.ts';
import { lazy } from '../parts/lazy.tsx';
import { PipelineView } from '../pipeline/pipeline-view.tsx';
import { view } from '../session/address.ts';
import { asOfShown, link } from '../session/connection.ts';
import { summary } from '../session/summary-session.ts';
import { LagBanner } from './lag-banner.tsx';
import { LinkBanner } from './link-banner.tsx';
import { PageHead } from './page-head.tsx';
import { ShortcutHelp } from './shortcuts.tsx';

/** Views that few open are loaded when they are. */
const QuarantineView = lazy(async () => (await import('../quarantine/quarantine-view.tsx')).QuarantineView);

const PastView = lazy(async () => (await import('../past/past-view.tsx')).PastView);

const MapView = lazy(async () => (await import('../map/map-view.tsx')).MapView);

function CurrentView() {
  const shown = view.value;
  switch (shown.view) {
    case 'device':
      return <DeviceView key={shown.deviceId} deviceId={shown.deviceId} />;
    case 'pipeline':
      return <PipelineView />;
    case 'quarantine':
      return <QuarantineView />;
    case 'map':
      return <MapView />;
    case 'past':
      return <PastView />;
    case 'fleet':
      return <FleetView />;
  }
}

const VIEW_NAMES = {
  fleet: 'Fleet',
  past: 'Fleet in the past',
  map: 'Map',
  pipeline: 'Pipeline',
  quarantine: 'Quarantine',
} as const;

/** The tab says what matters, also while another one is in front. */
function titleOf(): string {
  const shown = view.value;
  const troubled = summary.value?.inTrouble ?? 0;
  const what = shown.view === 'device' ? shown.deviceId : VIEW_NAMES[shown.view];
  return `${troubled > 0 ? `(${countText(troubled)} in trouble) ` : ''}${what} · Twinstream`;
}

export function Page() {
  useSignalEffect(() => {
    document.title = titleOf();
  });
  const shown = view.value;
  const place = `${shown.view} ${shown.view === 'device' ? shown.deviceId : ''}`;
  const before = useRef(place);
  useEffect(() => {
    if (before.current === place) return;
    before.current = place;
    scrollTo(0, 0);
    // A control that led here and is still there keeps the focus.
    if (document.activeElement !== document.body) return;
    // A user who came by the keyboard goes on from the content, and hears what it is.
    const list = document.querySelector<HTMLElement>('.fleet-grid');
    (list ?? document.getElementById('main'))?.focus({ preventScroll: true });
  }, [place]);
  const isStale = link.value.kind === 'lost' && asOfShown(view.value.view) !== undefined;
  return (
    <div class={`page ${isStale ? 'is-stale-page' : ''}`}>
      <PageHead />
      <LinkBanner />
      <LagBanner />
      <CurrentView />
      <ShortcutHelp />
    </div>
  );
}
