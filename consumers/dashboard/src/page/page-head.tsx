import { useMemo } from 'preact/hooks';
import { knownZones, LOCAL_ZONE } from '../model/time-zone.ts';
import { Icon, type IconName } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { LEAVE, navigate, view, zoneName } from '../session/address.ts';
import { THEMES, type Theme, theme } from '../session/preferences.ts';
import { ConnectionLine } from './connection-line.tsx';
import { isHelpOpen } from './shortcuts.tsx';

function ZoneChoice() {
  const zones = useMemo(knownZones, []);
  const value = zoneName.value;
  return (
    <label class="choice zone">
      <span class="visually-hidden">Time zone</span>
      <select
        value={value}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          navigate({ tz: chosen === LOCAL_ZONE ? null : chosen }, 'replace');
        }}
      >
        <option value={LOCAL_ZONE}>Local time</option>
        <option value="UTC">UTC</option>
        <optgroup label="Zones">
          {zones
            .filter((name) => name !== 'UTC')
            .map((name) => (
              <option key={name} value={name}>
                {name.replaceAll('_', ' ')}
              </option>
            ))}
        </optgroup>
      </select>
    </label>
  );
}

const THEME_ICON: Readonly<Record<Theme, IconName>> = { system: 'system', light: 'sun', dark: 'moon' };
const THEME_TEXT: Readonly<Record<Theme, string>> = { system: 'as the system', light: 'light', dark: 'dark' };

function ThemeSwitch() {
  const value = theme.value;
  const next = THEMES[(THEMES.indexOf(value) + 1) % THEMES.length] ?? 'system';
  return (
    <button
      type="button"
      class="button is-quiet is-icon"
      aria-label={`Theme: ${THEME_TEXT[value]}`}
      title={`Theme: ${THEME_TEXT[value]}. Next: ${THEME_TEXT[next]}.`}
      onClick={() => {
        theme.value = next;
      }}
    >
      <Icon name={THEME_ICON[value]} />
    </button>
  );
}

export function PageHead() {
  const shown = view.value.view;
  return (
    <header class="page-head">
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Link to={LEAVE} class="brand" label="Twinstream, to the fleet">
        <svg class="brand-sign" viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M6 12c4-4 7-4 10 0s6 4 10 0M6 20c4-4 7-4 10 0s6 4 10 0" />
        </svg>
        <span class="brand-name">Twinstream</span>
      </Link>
      <nav aria-label="Views">
        <Link to={LEAVE} current={shown === 'fleet' || shown === 'device' || shown === 'past'}>
          Fleet
        </Link>
        <Link to={{ ...LEAVE, view: 'map' }} current={shown === 'map'}>
          Map
        </Link>
        <Link to={{ ...LEAVE, view: 'pipeline' }} current={shown === 'pipeline'}>
          Pipeline
        </Link>
        <Link to={{ ...LEAVE, view: 'quarantine' }} current={shown === 'quarantine'}>
          Quarantine
        </Link>
      </nav>
      <ConnectionLine />
      <div class="page-tools">
        <ZoneChoice />
        <ThemeSwitch />
        <button
          type="button"
          class="button is-quiet is-icon help-button"
          aria-label="Keyboard"
          title="Keyboard"
          onClick={() => {
            isHelpOpen.value = true;
          }}
        >
          <Icon name="keyboard" />
        </button>
      </div>
    </header>
  );
}
