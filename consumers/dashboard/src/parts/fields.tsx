import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { Signature } from '../api/query-api.ts';
import type { Failure } from '../api/request.ts';
import { keep, readKept } from '../kept.ts';
import { Icon } from './icon.tsx';

const ACTOR_KEY = 'twinstream.actor';
/** Longest reason and name, as the API takes them. */
const CHARACTERS_MAX = 1_024;

interface FieldProps {
  readonly label: string;
  readonly error?: string | undefined;
  readonly hint?: string;
  /** Draws the control, which bears the properties. */
  readonly children: (control: {
    readonly id: string;
    readonly 'aria-invalid'?: true;
    readonly 'aria-describedby'?: string;
  }) => ComponentChildren;
}

/** A control with its name, and what is wrong with it beside it. */
export function Field({ label, error, hint, children }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        ...(error === undefined ? {} : { 'aria-invalid': true as const }),
        ...(error === undefined && hint === undefined ? {} : { 'aria-describedby': `${id}-note` }),
      })}
      {error === undefined ? (
        hint !== undefined && (
          <p id={`${id}-note`} class="field-note">
            {hint}
          </p>
        )
      ) : (
        <p id={`${id}-note`} class="field-note is-error" role="alert">
          <Icon name="trouble" />
          {error}
        </p>
      )}
    </div>
  );
}

/** What the API holds against a member of the body; undefined where nothing. */
export function faultOf(failure: Failure | undefined, member: string): string | undefined {
  if (failure?.kind !== 'refused') return undefined;
  return failure.faults?.find(({ parameter }) => `${parameter}.`.startsWith(`body.${member}.`))?.detail;
}

/** Why and by whom something is changed. The name is kept in this browser. */
export const signature = signal<Signature>({
  reason: '',
  actor: readKept('localStorage', ACTOR_KEY) ?? '',
});

export function SignatureFields({ failure }: { readonly failure: Failure | undefined }) {
  const { reason, actor } = signature.value;
  return (
    <div class="fields">
      <Field label="Reason" error={faultOf(failure, 'reason')}>
        {(control) => (
          <input
            {...control}
            class="input"
            required
            maxLength={CHARACTERS_MAX}
            value={reason}
            onInput={(event) => {
              signature.value = { ...signature.peek(), reason: event.currentTarget.value };
            }}
          />
        )}
      </Field>
      <Field
        label="Your name"
        error={faultOf(failure, 'actor')}
        hint="Recorded with the change; where you are signed in, as whom you are."
      >
        {(control) => (
          <input
            {...control}
            class="input"
            required
            maxLength={CHARACTERS_MAX}
            autocomplete="name"
            value={actor}
            onInput={(event) => {
              const { value } = event.currentTarget;
              signature.value = { ...signature.peek(), actor: value };
              keep('localStorage', ACTOR_KEY, value === '' ? undefined : value);
            }}
          />
        )}
      </Field>
    </div>
  );
}
