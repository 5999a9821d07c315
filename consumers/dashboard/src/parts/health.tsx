import type { DeviceJson, Liveness } from '@twinstream/api-contract';
import { ageText } from '../model/age.ts';
import { openTroublesOf, troublesOf } from '../model/trouble.ts';
import { lagOfDevice } from '../session/pipeline-session.ts';
import { Icon } from './icon.tsx';

type Heard = Pick<DeviceJson, 'liveness' | 'status' | 'position'>;

const LIVENESS_TEXT: Readonly<Record<Liveness, string>> = {
  online: 'Online',
  unknown: 'Unknown',
  stale: 'Stale',
  offline: 'Offline',
};

/** A device that said that it leaves is shown as such: offline and disconnected are then the same. */
function hasLeft({ liveness, status }: Heard): boolean {
  return liveness === 'offline' && status === 'disconnected';
}

function livenessText(device: Heard): string {
  return hasLeft(device) ? 'Disconnected' : LIVENESS_TEXT[device.liveness];
}

/** Why the liveness of a device is unknown; undefined where it is known. */
function unknownText(device: Heard): string | undefined {
  if (device.liveness !== 'unknown') return undefined;
  const lagMs = lagOfDevice(device);
  return lagMs === undefined ? 'the pipeline lags' : `the pipeline is ${ageText(lagMs)} behind`;
}

/** What we infer: icon, word and colour. `isLong`: with the reason where it is unknown. */
export function LivenessMark({
  device,
  isLong = false,
}: {
  readonly device: Heard;
  readonly isLong?: boolean;
}) {
  const reason = unknownText(device);
  return (
    <span class={`mark is-${device.liveness}`} {...(reason === undefined ? {} : { title: reason })}>
      <Icon name={device.liveness} />
      {livenessText(device)}
      {isLong && reason !== undefined && `, ${reason}`}
    </span>
  );
}

/** What the device said of itself last; a device that is heard after it disconnected has not said so. */
export function reportedText({ status, liveness }: Pick<DeviceJson, 'status' | 'liveness'>): string {
  if (status === 'unknown') return '';
  return status === 'disconnected' && liveness === 'online' ? 'disconnected before' : status;
}

/** What the device said of itself. */
export function ReportedStatus({ device }: { readonly device: DeviceJson }) {
  if (hasLeft(device)) return null;
  const text = reportedText(device);
  return <span class="said">{text === '' ? 'no status reported' : `reported ${text}`}</span>;
}

/** Liveness, and trouble in its place where there is any. */
export function Health({ device }: { readonly device: DeviceJson }) {
  const troubles = troublesOf(device);
  const open = openTroublesOf(device);
  return (
    <span class="standing">
      <LivenessMark device={device} />
      {troubles.length > 0 && (
        <span class={`mark ${open.length > 0 ? 'is-trouble' : 'is-known'}`} title={troubles.join('; ')}>
          <Icon name="trouble" />
          <span class="trouble-word">
            {open.length === 0 ? 'known' : open.includes('gaps') ? 'gaps' : 'silent'}
          </span>
        </span>
      )}
    </span>
  );
}
