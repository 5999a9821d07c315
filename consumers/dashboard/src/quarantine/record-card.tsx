import type { QuarantinedPayload, RedriveAnswer, RedriveOutcome } from '@twinstream/api-contract';
import { useEffect, useState } from 'preact/hooks';
import {
  discardRecord,
  previewRedrive,
  type RepairedEntries,
  readQuarantined,
  redriveRecord,
} from '../api/query-api.ts';
import type { Failure, Outcome } from '../api/request.ts';
import { bytesOfBase64, hexDump, textOfBytes } from '../model/payload.ts';
import { countText } from '../model/value-text.ts';
import { ChangeFailure } from '../parts/failure.tsx';
import { Field, faultOf, SignatureFields, signature } from '../parts/fields.tsx';
import { Icon } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { FailureNotice } from '../parts/notice.tsx';
import { Moment } from '../parts/time.tsx';
import { LEAVE } from '../session/address.ts';

/** Bytes that the hexadecimal view shows. */
const HEX_BYTES_MAX = 4_096;

const OUTCOME_TEXT: Readonly<Record<RedriveOutcome, string>> = {
  stored: 'stored',
  'already-stored': 'was stored before',
  'would-store': 'would be stored',
  unrepaired: 'left in quarantine',
  'transform-failed': 'could not be repaired',
  'still-invalid': 'is still invalid',
  'not-finished': 'the projector has not finished it yet: try again later',
  ignored: 'ignored by the mapping, on purpose',
};

type Entry = QuarantinedPayload['entries'][number];

function Payload({ entry, text }: { readonly entry: Entry; readonly text: string | undefined }) {
  const bytes = bytesOfBase64(entry.base64);
  const cut = entry.bytes > HEX_BYTES_MAX ? `, the first ${countText(HEX_BYTES_MAX)}` : '';
  return (
    <details class="payload" open={text === undefined}>
      <summary>
        Bytes in hexadecimal ({countText(entry.bytes)}
        {cut})
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section class="json" tabIndex={0} aria-label={`Bytes of entry ${entry.subSequenceNumber}`}>
        <pre>{hexDump(bytes, HEX_BYTES_MAX)}</pre>
      </section>
    </details>
  );
}

function Results({ answer }: { readonly answer: RedriveAnswer }) {
  return (
    <div role="status">
      <ul class="results" aria-label="Outcome">
        {answer.results.map(({ subSequenceNumber, deviceId, outcome, detail }) => (
          <li key={`${subSequenceNumber} ${outcome}`}>
            <Icon name={outcome === 'would-store' || outcome === 'stored' ? 'online' : 'trouble'} />
            {answer.results.length > 1 && `Entry ${subSequenceNumber}: `}
            {deviceId === null ? (
              OUTCOME_TEXT[outcome]
            ) : (
              <>
                <Link to={{ ...LEAVE, device: deviceId }}>{deviceId}</Link>: {OUTCOME_TEXT[outcome]}
              </>
            )}
            {detail !== '' && ` (${detail})`}
          </li>
        ))}
      </ul>
    </div>
  );
}

interface RecordCardProps {
  readonly recordId: string;
  /** The record was redriven or discarded. */
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** One record with its payload, and the ways out of quarantine. */
export function RecordCard({ recordId, onDone, onClose }: RecordCardProps) {
  const [record, setRecord] = useState<QuarantinedPayload>();
  const [failure, setFailure] = useState<Failure>();
  useEffect(() => {
    const closing = new AbortController();
    void readQuarantined(recordId, closing.signal).then((outcome) => {
      if (outcome.kind === 'answered') setRecord(outcome.value);
      else if (outcome.kind !== 'aborted') setFailure(outcome);
    });
    return () => closing.abort();
  }, [recordId]);
  return (
    <section class="card record" aria-labelledby="record-title">
      <div class="card-line">
        <h2 id="record-title">Record</h2>
        {record !== undefined && (
          <p class="muted">
            <Moment time={record.arrivalTime} exact />, {record.shardId}, {record.sequenceNumber}
          </p>
        )}
        <button type="button" class="button is-quiet" onClick={onClose}>
          <Icon name="close" />
          Close
        </button>
      </div>
      {failure !== undefined && <FailureNotice failure={failure} what="The record" />}
      {record !== undefined && <Resolving record={record} onDone={onDone} />}
    </section>
  );
}

function Resolving({ record, onDone }: { readonly record: QuarantinedPayload; readonly onDone: () => void }) {
  const { recordId, entries } = record;
  const [edited, setEdited] = useState<ReadonlyMap<number, string>>(new Map());
  const [answer, setAnswer] = useState<RedriveAnswer>();
  const [isExecuted, setIsExecuted] = useState(false);
  const [isAsked, setIsAsked] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const [isBusy, setIsBusy] = useState(false);
  const [done, setDone] = useState<'redriven' | 'discarded'>();
  const isAllowed = failure?.kind !== 'refused' || failure.status !== 403;
  const { reason, actor } = signature.value;
  const isSigned = reason.trim() !== '' && actor.trim() !== '';
  const isStorable = answer?.results.some(({ outcome }) => ['would-store', 'ignored'].includes(outcome));

  const repaired = (): RepairedEntries | undefined =>
    edited.size === 0
      ? undefined
      : entries.flatMap(({ subSequenceNumber, base64 }) => {
          const text = edited.get(subSequenceNumber) ?? textOfBytes(bytesOfBase64(base64));
          return text === undefined ? [] : [{ subSequenceNumber, text }];
        });
  const send = async <T extends object>(request: Promise<Outcome<T>>): Promise<T | undefined> => {
    setIsBusy(true);
    const outcome = await request;
    setIsBusy(false);
    setFailure(outcome.kind === 'answered' || outcome.kind === 'aborted' ? undefined : outcome);
    return outcome.kind === 'answered' ? outcome.value : undefined;
  };
  const preview = async (): Promise<void> => {
    setIsExecuted(false);
    setAnswer(await send(previewRedrive(recordId, repaired())));
  };
  const execute = async (): Promise<void> => {
    const executed = await send(redriveRecord(recordId, repaired(), { reason, actor }));
    if (executed === undefined) return;
    setAnswer(executed);
    setIsExecuted(true);
    if (executed.isResolved) setDone('redriven');
    onDone();
  };
  const discard = async (): Promise<void> => {
    if ((await send(discardRecord(recordId, { reason, actor }))) === undefined) return;
    setDone('discarded');
    onDone();
  };

  return (
    <>
      {entries.map((entry) => {
        const { subSequenceNumber, base64, bytes } = entry;
        const whole = bytesOfBase64(base64);
        const text = whole.length === bytes ? textOfBytes(whole) : undefined;
        return (
          <section key={subSequenceNumber} class="entry" aria-label={`Entry ${subSequenceNumber}`}>
            <p>
              <strong class="is-reason">{entry.reason}</strong>: {entry.detail}. Key {entry.partitionKey}.
            </p>
            {text === undefined ? (
              <p class="muted">
                {whole.length === bytes
                  ? 'The bytes are not text: repair them with ops quarantine redrive --transform.'
                  : 'The payload is too large to be repaired here: use ops quarantine redrive --input.'}
              </p>
            ) : (
              <Field
                label={entries.length > 1 ? `Event of entry ${subSequenceNumber}` : 'Event'}
                error={faultOf(failure, 'entries')}
                hint="Repair it here, and see what would be stored."
              >
                {(control) => (
                  <textarea
                    {...control}
                    class="input is-code"
                    rows={4}
                    spellcheck={false}
                    disabled={done !== undefined}
                    value={edited.get(subSequenceNumber) ?? text}
                    onInput={(event) => {
                      setEdited(new Map(edited).set(subSequenceNumber, event.currentTarget.value));
                      setAnswer(undefined);
                    }}
                  />
                )}
              </Field>
            )}
            <Payload entry={entry} text={text} />
          </section>
        );
      })}
      {answer !== undefined && <Results answer={answer} />}
      {done !== undefined ? (
        <p class="change-done" role="status">
          <Icon name="online" />
          {done === 'redriven'
            ? 'Redriven: it has left quarantine.'
            : 'Discarded: it has left quarantine, and is kept as resolved.'}
        </p>
      ) : (
        <form
          class="change-form"
          aria-label="Redrive or discard"
          onSubmit={(event) => {
            event.preventDefault();
            void (isAsked ? discard() : execute());
          }}
        >
          <button type="button" class="button" disabled={isBusy} onClick={() => void preview()}>
            Preview a redrive
          </button>
          <SignatureFields failure={failure} />
          <ChangeFailure failure={failure} />
          <div class="form-buttons">
            {isAsked ? (
              <>
                <button type="submit" class="button is-danger" disabled={!isSigned || isBusy || !isAllowed}>
                  Discard it for good
                </button>
                <button type="button" class="button" onClick={() => setIsAsked(false)}>
                  Keep it
                </button>
              </>
            ) : (
              <>
                <button
                  type="submit"
                  class="button is-accent"
                  disabled={!isStorable || isExecuted || !isSigned || isBusy || !isAllowed}
                  title={isStorable ? undefined : 'Preview it first'}
                >
                  Redrive
                </button>
                <button
                  type="button"
                  class="button"
                  disabled={!isSigned || isBusy || !isAllowed}
                  onClick={() => setIsAsked(true)}
                >
                  Discard…
                </button>
              </>
            )}
          </div>
          {!isSigned && <p class="muted">A redrive or a discard takes a reason and your name.</p>}
        </form>
      )}
    </>
  );
}
