import { countText } from '../model/value-text.ts';
import { Icon } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { Age } from '../parts/time.tsx';
import { fleetQuery } from '../session/address.ts';
import { tileSummary, troubledDevices } from '../session/summary-session.ts';

/** The devices in trouble, by name: what one came to see. */
export function TroubleLine() {
  const devices = troubledDevices.value;
  const count = tileSummary.value?.unacknowledged ?? 0;
  if (fleetQuery.value.trouble !== undefined || devices.length === 0 || count === 0) return null;
  return (
    <section class="trouble-line" aria-label="Devices in trouble">
      <ul>
        {devices.map(({ deviceId, liveness, counts, lastArrivalTime }) => (
          <li key={deviceId}>
            <Link to={{ device: deviceId }} class="trouble-chip">
              <Icon name="trouble" />
              <strong>{deviceId}</strong>
              <span>{liveness === 'offline' ? 'silent' : `${countText(counts.gaps)} missing`}</span>
              <Age time={lastArrivalTime} />
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
