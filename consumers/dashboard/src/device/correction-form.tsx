import type { EventJson, WholeDevice } from '@twinstream/api-contract';
import type { JsonValue } from '@twinstream/device-model';
import { useRef, useState } from 'preact/hooks';
import { correctDevice } from '../api/query-api.ts';
import type { Failure } from '../api/request.ts';
import { isEqualJson } from '../model/state-difference.ts';
import { valueText } from '../model/value-text.ts';
import { ChangeFailure } from '../parts/failure.tsx';
import { Field, faultOf, SignatureFields, signature } from '../parts/fields.tsx';
import { Icon } from '../parts/icon.tsx';

interface Assignment {
  readonly name: string;
  /** JSON, or plain text. */
  readonly text: string;
}

const EMPTY: Assignment = { name: '', text: '' };

/** The value of a text: JSON where it is any, the text itself otherwise. */
function jsonOf(text: string): { readonly json: string; readonly value: JsonValue } {
  try {
    return { json: text, value: JSON.parse(text) as JsonValue };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { json: JSON.stringify(text), value: text };
  }
}

/** `3.1042` or `3:1042`. */
function targetOf(text: string): { readonly session: number; readonly counter: number } | undefined {
  const [, session, counter] = /^(\d+)[.:](\d+)$/.exec(text.trim()) ?? [];
  return session === undefined || counter === undefined
    ? undefined
    : { session: Number(session), counter: Number(counter) };
}

/** What belongs beside the field of the corrected event. */
const TARGET_CODES: readonly string[] = ['CORRECTION_AHEAD', 'CORRECTED_EVENT_NOT_STORED'];

function Preview({
  device,
  assignments,
}: {
  readonly device: WholeDevice;
  readonly assignments: readonly Assignment[];
}) {
  return (
    <table class="correction-preview" aria-label="What the correction changes">
      <thead>
        <tr>
          <th scope="col">Attribute</th>
          <th scope="col">Now</th>
          <th scope="col">Will be</th>
          <th scope="col">Note</th>
        </tr>
      </thead>
      <tbody>
        {assignments.map(({ name, text }) => {
          const before = Object.hasOwn(device.attributes, name) ? device.attributes[name] : undefined;
          const { value } = jsonOf(text);
          const isRemoved = value === null;
          const note =
            before === undefined
              ? isRemoved
                ? 'nothing to remove'
                : 'new: the device has no such attribute'
              : isRemoved
                ? 'removed'
                : isEqualJson(before, value)
                  ? 'as it is'
                  : '';
          return (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="value">{before === undefined ? '–' : valueText(before)}</td>
              <td class="value">{isRemoved ? '–' : valueText(value)}</td>
              <td>{note}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

interface CorrectionFormProps {
  readonly device: WholeDevice;
  /** History at hand: the correction is in it when it was stored. */
  readonly events: readonly EventJson[];
}

/** Puts a correction on the stream, and shows before what it changes. */
export function CorrectionForm({ device, events }: CorrectionFormProps) {
  const [assignments, setAssignments] = useState<readonly Assignment[]>([EMPTY]);
  const [target, setTarget] = useState('');
  const [failure, setFailure] = useState<Failure>();
  const [isBusy, setIsBusy] = useState(false);
  const [sentId, setSentId] = useState<string>();
  // One for each content: a repetition stores nothing twice.
  const key = useRef(crypto.randomUUID());
  const edited = (): void => {
    key.current = crypto.randomUUID();
    setFailure(undefined);
    setSentId(undefined);
  };
  const setAssignment = (index: number, changed: Partial<Assignment>): void => {
    setAssignments(assignments.map((one, place) => (place === index ? { ...one, ...changed } : one)));
    edited();
  };
  const named = assignments.filter(({ name }) => name !== '');
  const corrects = targetOf(target);
  const isTargetWrong = target.trim() !== '' && corrects === undefined;
  const { reason, actor } = signature.value;
  const isReady = named.length > 0 && reason.trim() !== '' && actor.trim() !== '' && !isTargetWrong;
  const isOfTarget = failure?.kind === 'refused' && TARGET_CODES.includes(failure.code ?? '');
  const isAllowed = failure?.kind !== 'refused' || failure.status !== 403;
  const isStored = sentId !== undefined && events.some(({ correctionId }) => correctionId === sentId);

  const send = async (): Promise<void> => {
    setIsBusy(true);
    const outcome = await correctDevice(
      device.deviceId,
      {
        data: named.map(({ name, text }) => [name, jsonOf(text).json] as const),
        reason,
        actor,
        ...(corrects === undefined ? {} : { corrects }),
      },
      key.current,
    );
    setIsBusy(false);
    setFailure(outcome.kind === 'answered' || outcome.kind === 'aborted' ? undefined : outcome);
    if (outcome.kind === 'answered') setSentId(outcome.value.correctionId);
  };

  return (
    <form
      class="change-form"
      aria-label="Correct attributes"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <datalist id="attribute-names">
        {Object.keys(device.attributes).map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {assignments.map(({ name, text }, index) => (
        <div key={index} class="fields">
          <Field label="Attribute" error={name === '' ? undefined : faultOf(failure, `data.${name}`)}>
            {(control) => (
              <input
                {...control}
                class="input"
                list="attribute-names"
                autocomplete="off"
                spellcheck={false}
                value={name}
                onInput={(event) => setAssignment(index, { name: event.currentTarget.value })}
              />
            )}
          </Field>
          <Field
            label="Value"
            error={index === 0 ? faultOf(failure, 'data') : undefined}
            hint="JSON, or plain text; null removes the attribute."
          >
            {(control) => (
              <input
                {...control}
                class="input is-code"
                autocomplete="off"
                spellcheck={false}
                value={text}
                onInput={(event) => setAssignment(index, { text: event.currentTarget.value })}
              />
            )}
          </Field>
        </div>
      ))}
      <button type="button" class="button is-quiet" onClick={() => setAssignments([...assignments, EMPTY])}>
        Another attribute
      </button>
      <div class="fields">
        <Field
          label="Corrected event (session.counter)"
          error={
            isTargetWrong
              ? 'write session.counter, such as 3.1042'
              : isOfTarget && failure?.kind === 'refused'
                ? `${failure.title}: ${failure.detail}`
                : faultOf(failure, 'corrects')
          }
          hint="Optional: by default the newest that set these attributes."
        >
          {(control) => (
            <input
              {...control}
              class="input"
              autocomplete="off"
              value={target}
              onInput={(event) => {
                setTarget(event.currentTarget.value);
                edited();
              }}
            />
          )}
        </Field>
      </div>
      <SignatureFields failure={failure} />
      {named.length > 0 && <Preview device={device} assignments={named} />}
      {!isOfTarget && <ChangeFailure failure={failure} />}
      {sentId !== undefined && (
        <p class={isStored ? 'change-done' : ''} role="status">
          <Icon name={isStored ? 'online' : 'polling'} />{' '}
          {isStored
            ? 'The correction is stored.'
            : 'The stream has taken the correction; it is not stored yet.'}
        </p>
      )}
      <button
        type="submit"
        class="button is-accent"
        disabled={!isReady || isBusy || !isAllowed || sentId !== undefined}
      >
        Correct {device.deviceId}
      </button>
    </form>
  );
}
