import type { WholeDevice } from '@twinstream/api-contract';
import { LABELS } from '@twinstream/api-contract/values';
import type { ComponentChildren } from 'preact';
import { countText } from '../model/value-text.ts';
import { LivenessMark, ReportedStatus } from '../parts/health.tsx';
import { Icon } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { Age } from '../parts/time.tsx';
import { LEAVE } from '../session/address.ts';
import { RetiredNote } from './retire-card.tsx';
import { Troubles } from './troubles.tsx';

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Who the device is, how it stands, and how much is known of it. */
export function DeviceHead({
  deviceId,
  device,
}: {
  readonly deviceId: string;
  readonly device: WholeDevice | undefined;
}) {
  return (
    <header class="device-head">
      <div class="device-title">
        <Link to={LEAVE} class="button is-quiet" label="Back to the fleet">
          <Icon name="back" />
          Fleet
        </Link>
        <h1>{deviceId}</h1>
        {device !== undefined && (
          <>
            <LivenessMark device={device} isLong />
            <ReportedStatus device={device} />
          </>
        )}
      </div>
      {device !== undefined && <Troubles device={device} />}
      {device !== undefined && <RetiredNote device={device} />}
      {device !== undefined && (
        <dl class="facts">
          <Fact name="Last heard">
            <Age time={device.lastArrivalTime} />
          </Fact>
          {LABELS.map((name) =>
            device.labels[name] === undefined ? null : (
              <Fact key={name} name={name}>
                {device.labels[name]}
              </Fact>
            ),
          )}
          <Fact name="Version">
            {device.version === null
              ? 'never counted'
              : `${device.version.session}.${device.version.counter}`}
          </Fact>
          <Fact name="Events">{countText(device.counts.events)}</Fact>
          <Fact name="Late">{countText(device.counts.late)}</Fact>
          <Fact name="Duplicates">{countText(device.counts.duplicates)}</Fact>
          <Fact name="Missing events">{countText(device.counts.gaps)}</Fact>
          <Fact name="Quarantine">
            <Link to={{ ...LEAVE, view: 'quarantine', key: deviceId }}>its records</Link>
          </Fact>
          {device.lastEventTime !== null && <Fact name="Device clock">{device.lastEventTime}</Fact>}
        </dl>
      )}
    </header>
  );
}
