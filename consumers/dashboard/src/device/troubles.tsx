import type { TroubleJson, WholeDevice } from '@twinstream/api-contract';
import { useRef, useState } from 'preact/hooks';
import { acknowledgeTrouble } from '../api/query-api.ts';
import type { Failure } from '../api/request.ts';
import { ChangeFailure } from '../parts/failure.tsx';
import { SignatureFields, signature } from '../parts/fields.tsx';
import { Icon } from '../parts/icon.tsx';
import { Age, Moment } from '../parts/time.tsx';
import { revalidate } from '../session/connection.ts';

interface OneTroubleProps {
  readonly deviceId: string;
  readonly told: TroubleJson;
}

/** Says that somebody knows of a trouble, or takes that back. */
function AcknowledgeForm({ deviceId, told, onDone }: OneTroubleProps & { readonly onDone: () => void }) {
  const { trouble, acknowledgement } = told;
  const [failure, setFailure] = useState<Failure>();
  const [isBusy, setIsBusy] = useState(false);
  // One for each form: a repetition changes nothing.
  const key = useRef(crypto.randomUUID());
  const { reason, actor } = signature.value;
  const isWithdrawn = acknowledgement !== null;
  const send = async (): Promise<void> => {
    setIsBusy(true);
    const body = { trouble, note: reason, actor, ...(isWithdrawn ? { withdraw: true as const } : {}) };
    const outcome = await acknowledgeTrouble(deviceId, body, key.current);
    setIsBusy(false);
    if (outcome.kind === 'refused' || outcome.kind === 'unreachable') {
      setFailure(outcome);
      return;
    }
    revalidate();
    onDone();
  };
  return (
    <form
      class="change-form"
      aria-label={isWithdrawn ? `Withdraw the acknowledgement of ${trouble}` : `Acknowledge ${trouble}`}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <SignatureFields failure={failure} />
      <ChangeFailure failure={failure} />
      <div class="form-line">
        <button
          type="submit"
          class="button is-accent"
          disabled={isBusy || reason.trim() === '' || actor.trim() === ''}
        >
          {isWithdrawn ? 'Withdraw it' : `Acknowledge ${trouble}`}
        </button>
        <button type="button" class="button is-quiet" onClick={onDone}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function OneTrouble({ deviceId, told }: OneTroubleProps) {
  const { trouble, cause, since, acknowledgement } = told;
  const [isOpen, setIsOpen] = useState(false);
  const isKnown = acknowledgement !== null;
  return (
    <li class={isKnown ? 'is-known' : 'is-trouble'}>
      <div class="trouble-text">
        <span class="mark">
          <Icon name="trouble" />
          {trouble}
        </span>
        <span>
          {since !== null && (
            <>
              for <Age time={since} />, since <Moment time={since} />:{' '}
            </>
          )}
          {cause}
        </span>
        {!isOpen && (
          <button type="button" class="button" onClick={() => setIsOpen(true)}>
            {isKnown ? 'Withdraw…' : 'Acknowledge…'}
          </button>
        )}
      </div>
      {acknowledgement !== null && (
        <p class="trouble-known">
          Acknowledged by {acknowledgement.by}, <Age time={acknowledgement.time} /> ago:{' '}
          {acknowledgement.note}
        </p>
      )}
      {isOpen && <AcknowledgeForm deviceId={deviceId} told={told} onDone={() => setIsOpen(false)} />}
    </li>
  );
}

/** Why the device needs attention, since when, and who knows of it. */
export function Troubles({ device: { deviceId, troubles = [] } }: { readonly device: WholeDevice }) {
  if (troubles.length === 0) return null;
  return (
    <ul class="troubles" aria-label="Troubles">
      {troubles.map((told) => (
        <OneTrouble key={told.trouble} deviceId={deviceId} told={told} />
      ))}
    </ul>
  );
}
