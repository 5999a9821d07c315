import type { Basis } from '@twinstream/api-contract';
import { useEffect, useRef, useState } from 'preact/hooks';
import { readDevice } from '../api/query-api.ts';
import type { Failure } from '../api/request.ts';
import { momentText } from '../model/time-zone.ts';
import { Icon } from '../parts/icon.tsx';
import { navigate, parameters, zone } from '../session/address.ts';
import { startPoll } from '../session/poll.ts';
import type { ComparedState } from './attributes-table.tsx';

const POLL_MS = 5_000;

export interface Compared {
  readonly state?: ComparedState;
  readonly failure?: Failure;
}

/** What the address compares the device with: a moment of it (`against`), or another device (`other`); undefined for neither. */
export function useCompared(deviceId: string): Compared | undefined {
  const against = parameters.value.get('against');
  const other = parameters.value.get('other');
  const at = parameters.value.get('at');
  const basis: Basis = parameters.value.get('basis') === 'event-time' ? 'event-time' : 'arrival';
  const zoneNow = zone.value;
  const [compared, setCompared] = useState<Compared>();
  useEffect(() => {
    if (other === null && against === null) {
      setCompared(undefined);
      return;
    }
    setCompared({});
    const moment = other === null ? against : at;
    const title = other ?? momentText(Date.parse(against ?? ''), zoneNow);
    return startPoll({
      everyMs: () => POLL_MS,
      run: async (signal) => {
        const asked = moment === null ? undefined : { at: moment, basis };
        const outcome = await readDevice(other ?? deviceId, asked, signal);
        if (outcome.kind === 'aborted') return;
        setCompared(
          outcome.kind === 'answered' ? { state: { device: outcome.value, title } } : { failure: outcome },
        );
      },
    });
  }, [deviceId, against, other, at, basis, zoneNow]);
  return compared;
}

/** Chooses what the attributes are compared with. */
export function CompareChoice() {
  const field = useRef<HTMLInputElement>(null);
  const against = parameters.value.get('against');
  const other = parameters.value.get('other');
  const at = parameters.value.get('at');
  if (against !== null || other !== null) {
    return (
      <button
        type="button"
        class="button"
        onClick={() => navigate({ against: null, other: null }, 'replace')}
      >
        <Icon name="close" />
        Stop comparing
      </button>
    );
  }
  return (
    <form
      class="compare"
      onSubmit={(event) => {
        event.preventDefault();
        const wanted = field.current?.value.trim() ?? '';
        if (wanted !== '') navigate({ other: wanted }, 'replace');
      }}
    >
      {at !== null && (
        <button
          type="button"
          class="button"
          title="Keeps this moment beside the one that you go to"
          onClick={() => navigate({ against: at }, 'replace')}
        >
          Keep to compare
        </button>
      )}
      <label class="search">
        <span class="visually-hidden">Compare with device</span>
        <input ref={field} placeholder="Compare with device" autocomplete="off" spellcheck={false} />
      </label>
    </form>
  );
}
