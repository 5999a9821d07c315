import type { WholeDevice } from '@twinstream/api-contract';
import { useRef, useState } from 'preact/hooks';
import { retireDevice } from '../api/query-api.ts';
import type { Failure } from '../api/request.ts';
import { ChangeFailure } from '../parts/failure.tsx';
import { SignatureFields, signature } from '../parts/fields.tsx';
import { Icon } from '../parts/icon.tsx';
import { Age } from '../parts/time.tsx';
import { revalidate } from '../session/connection.ts';

/** Says at the top of the page that the device is in no list. */
export function RetiredNote({ device: { retirement } }: { readonly device: WholeDevice }) {
  if (retirement === undefined || retirement === null) return null;
  return (
    <p class="retired-note" role="status">
      <Icon name="offline" />
      <span>
        <strong>Retired</strong> by {retirement.by}, <Age time={retirement.time} /> ago: {retirement.reason}.
        It is in no list until its next event.
      </span>
    </p>
  );
}

/** Takes a device out of lists and counts, or brings it back. */
export function RetireForm({ device }: { readonly device: WholeDevice }) {
  const [failure, setFailure] = useState<Failure>();
  const [isBusy, setIsBusy] = useState(false);
  const key = useRef(crypto.randomUUID());
  const { reason, actor } = signature.value;
  const isRetired = device.retired === true;
  const send = async (): Promise<void> => {
    setIsBusy(true);
    const body = { reason, actor, withdraw: isRetired };
    const outcome = await retireDevice(device.deviceId, body, key.current);
    setIsBusy(false);
    if (outcome.kind === 'refused' || outcome.kind === 'unreachable') {
      setFailure(outcome);
      return;
    }
    key.current = crypto.randomUUID();
    setFailure(undefined);
    revalidate();
  };
  return (
    <form
      class="change-form"
      aria-label={isRetired ? 'Bring the device back' : 'Retire the device'}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <p class="muted">
        {isRetired
          ? 'It returns to lists and counts.'
          : 'It leaves lists and counts; its state and history stay, and its next event brings it back.'}
      </p>
      <SignatureFields failure={failure} />
      <ChangeFailure failure={failure} />
      <button
        type="submit"
        class="button is-accent"
        disabled={isBusy || reason.trim() === '' || actor.trim() === ''}
      >
        {isRetired ? `Bring ${device.deviceId} back` : `Retire ${device.deviceId}`}
      </button>
    </form>
  );
}
