import { render } from 'preact';
import { Page } from './page/page.tsx';
import { startShortcuts } from './page/shortcuts.tsx';
import { startAddress } from './session/address.ts';
import { startClock } from './session/clock.ts';
import { startFleet } from './session/fleet-session.ts';
import { startLiveUpdates } from './session/live-updates.ts';
import { startPipeline } from './session/pipeline-session.ts';
import { startPreferences } from './session/preferences.ts';
import { startSummary } from './session/summary-session.ts';
import './styles/index.css';

startPreferences();
startAddress();
startClock();
startShortcuts();
startSummary();
startFleet();
startPipeline();
startLiveUpdates();

const place = document.getElementById('page');
if (place === null) throw new Error('the page has no place to be drawn');
render(<Page />, place);
