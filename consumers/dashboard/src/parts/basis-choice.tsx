import { BASES, type Basis } from '@twinstream/api-contract/values';
import { navigate } from '../session/address.ts';

export function basisOf(basis: string | null): Basis {
  return BASES.find((known) => known === basis) ?? 'arrival';
}

const BASIS_TEXT: Readonly<Record<Basis, string>> = {
  arrival: 'arrival',
  'event-time': 'device clock',
};

/** The axis of time of slider, plots, track and past state: arrival, or the clock of the device. They differ where events came late. */
export function BasisChoice({ basis }: { readonly basis: Basis }) {
  return (
    <label class="choice" title="They differ where events came late, or were corrected.">
      <span class="choice-label">Time axis</span>
      <select
        value={basis}
        onChange={(event) => {
          const { value } = event.currentTarget;
          navigate({ basis: value === BASES[0] ? null : value }, 'replace');
        }}
      >
        {BASES.map((name) => (
          <option key={name} value={name}>
            {BASIS_TEXT[name]}
          </option>
        ))}
      </select>
    </label>
  );
}
