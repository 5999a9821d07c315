import { ageText } from '../model/age.ts';
import { clockText } from '../model/time-zone.ts';
import { Icon } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { LEAVE, view, zone } from '../session/address.ts';
import { now } from '../session/clock.ts';
import { unusualLagMs } from '../session/pipeline-session.ts';

/** Says on every page that what is shown is of the past, because the pipeline lags: no device is to blame for that. */
export function LagBanner() {
  const lagMs = unusualLagMs.value;
  if (lagMs === undefined) return null;
  return (
    <section class="banner is-lagging" aria-label="Lag">
      <Icon name="lag" />
      <p>
        <strong role="alert">The pipeline is {ageText(lagMs)} behind.</strong> What you see is as of{' '}
        {clockText(now.value - lagMs, zone.value)}; devices that seem silent may have been heard since.
      </p>
      {view.value.view !== 'pipeline' && (
        <Link to={{ ...LEAVE, view: 'pipeline' }} class="button">
          Look at the pipeline
        </Link>
      )}
    </section>
  );
}
