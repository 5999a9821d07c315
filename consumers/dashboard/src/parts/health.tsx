import type { DeviceJson, Liveness } from '@twinstream/api-contract';
import { troublesOf } from '../model/trouble.ts';
import { Icon } from './icon.tsx';

const LIVENESS_TEXT: Readonly<Record<Liveness, string>> = {
  online: 'Online',
  stale: 'Stale',
  offline: 'Offline',
};

/** What we infer: icon, word and colour. */
export function LivenessMark({ liveness }: { readonly liveness: Liveness }) {
  return (
    <span class={`mark is-${liveness}`}>
      <Icon name={liveness} />
      {LIVENESS_TEXT[liveness]}
    </span>
  );
}

/** What the device said of itself. */
export function ReportedStatus({ status }: { readonly status: DeviceJson['status'] }) {
  return <span class="said">{status === 'unknown' ? 'no status reported' : `reported ${status}`}</span>;
}

/** Liveness, and trouble in its place where there is any. */
export function Health({ device }: { readonly device: DeviceJson }) {
  const troubles = troublesOf(device);
  return (
    <span class="standing">
      <LivenessMark liveness={device.liveness} />
      {troubles.length > 0 && (
        <span class="mark is-trouble" title={troubles.join('; ')}>
          <Icon name="trouble" />
          <span class="trouble-word">{device.counts.gaps > 0 ? 'gaps' : 'silent'}</span>
        </span>
      )}
    </span>
  );
}
