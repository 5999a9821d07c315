import { counted, cutText, tableText } from '@twinstream/command-line';
import { devicesOf, type Outcome } from './apply-mapping.ts';

const DEVICES_SHOWN_MAX = 20;
const EVENTS_SHOWN_MAX = 3;
const REJECTIONS_SHOWN_MAX = 10;
const CHARACTERS_MAX = 110;

/** Devices, some events and the rejected lines, for people. */
export function outcomeText(outcome: Outcome): string {
  const { events, rejections, ignoredCount, recordCount } = outcome;
  const devices = devicesOf(outcome);
  const counts = [
    counted(recordCount, 'record'),
    counted(events.length, 'event'),
    counted(devices.length, 'device'),
    `${rejections.length} rejected`,
    `${ignoredCount} ignored`,
  ];
  return [
    `${counts.join(', ')}\n`,
    devices.length === 0 ? '' : `\n${deviceTable(devices)}`,
    ...events.slice(0, EVENTS_SHOWN_MAX).map(({ text }) => `\n${cutText(text, CHARACTERS_MAX)}`),
    events.length === 0 ? '' : '\n',
    ...rejections
      .slice(0, REJECTIONS_SHOWN_MAX)
      .map(({ line, reason, detail }) => `\nline ${line}: ${reason}: ${detail}`),
    more(rejections.length, REJECTIONS_SHOWN_MAX, 'rejections'),
    rejections.length === 0 ? '' : '\n',
  ].join('');
}

function deviceTable(devices: ReturnType<typeof devicesOf>): string {
  const rows = devices
    .slice(0, DEVICES_SHOWN_MAX)
    .map(({ deviceId, eventCount, lastTime, attributes }) => [
      deviceId,
      `${eventCount}`,
      lastTime,
      cutText(
        [...attributes].map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(' '),
        CHARACTERS_MAX,
      ),
    ]);
  const columns = [
    { title: 'device' },
    { title: 'events', align: 'right' as const },
    { title: 'last time' },
    { title: 'attributes' },
  ];
  return `${tableText(columns, rows)}${more(devices.length, DEVICES_SHOWN_MAX, 'devices')}`;
}

function more(count: number, shown: number, what: string): string {
  return count > shown ? `\n… and ${count - shown} more ${what}\n` : '';
}
