import type { JsonValue } from '@twinstream/device-model';
import type { Device, WireVersion } from '../api/shapes.ts';
import type { AttributeOrigin } from '../model/attribute-origins.ts';
import { type AttributeChange, differenceOf } from '../model/state-difference.ts';
import { valueText } from '../model/value-text.ts';
import { Icon } from '../parts/icon.tsx';
import { Age } from '../parts/time.tsx';

export interface AttributesTableProps {
  /** The state shown: now, or at a moment. */
  readonly shown: Device;
  /** The state now, to compare a past one with; undefined while now is shown. */
  readonly present: Device | undefined;
  readonly origins: ReadonlyMap<string, AttributeOrigin>;
  /** Arrival of the oldest event at hand; milliseconds since 1970. */
  readonly historyFrom: number | undefined;
}

function Value({ value }: { readonly value: JsonValue }) {
  const kind = typeof value === 'string' ? 'is-text' : typeof value === 'number' ? 'is-number' : 'is-other';
  const text = valueText(value);
  return (
    <span class={`value ${kind}`} title={text}>
      {text === '' ? '“”' : text}
    </span>
  );
}

function versionText({ session, counter, ordinal = 0, revision = 0 }: WireVersion): string {
  return `${session}.${counter}${ordinal > 0 ? ` +${ordinal}` : ''}${revision > 0 ? ` r${revision}` : ''}`;
}

const CHANGE_TEXT: Readonly<Record<AttributeChange['change'], string>> = {
  same: 'same now',
  changed: 'changed',
  added: 'not there yet',
  removed: 'removed since',
};

/** Attributes by name, each with the version that wrote it and its age; of a past state, with what became of each. */
export function AttributesTable({ shown, present, origins, historyFrom }: AttributesTableProps) {
  const changes = differenceOf(shown.attributes, (present ?? shown).attributes);
  const changedCount = changes.filter(({ change }) => change !== 'same').length;
  if (changes.length === 0)
    return <p class="empty">No attributes {present === undefined ? '' : 'at that time'}.</p>;
  return (
    <>
      {present !== undefined && (
        <p class="change-line" role="status">
          {changedCount === 0
            ? 'Nothing has changed since.'
            : `${changedCount} of ${changes.length} attributes ${changedCount === 1 ? 'has' : 'have'} changed since.`}
        </p>
      )}
      <table class={`attributes ${present === undefined ? '' : 'is-comparing'}`}>
        <thead>
          <tr>
            <th scope="col">Attribute</th>
            <th scope="col">{present === undefined ? 'Value' : 'Then'}</th>
            {present !== undefined && <th scope="col">Now</th>}
            <th scope="col">Version</th>
            <th scope="col" class="is-right">
              Age
            </th>
          </tr>
        </thead>
        <tbody>
          {changes.map((change) => (
            <Row
              key={change.name}
              change={change}
              isComparing={present !== undefined}
              facts={shown.attributeFacts[change.name]}
              origin={origins.get(change.name)}
              historyFrom={historyFrom}
            />
          ))}
        </tbody>
      </table>
    </>
  );
}

interface RowProps {
  readonly change: AttributeChange;
  readonly isComparing: boolean;
  readonly facts: Device['attributeFacts'][string] | undefined;
  readonly origin: AttributeOrigin | undefined;
  readonly historyFrom: number | undefined;
}

function Row({ change, isComparing, facts, origin, historyFrom }: RowProps) {
  const version = facts?.version ?? origin?.identity;
  const time = facts?.time ?? origin?.time;
  return (
    <tr class={`change-${isComparing ? change.change : 'none'}`}>
      <th scope="row">{change.name}</th>
      <td>{'before' in change ? <Value value={change.before} /> : <span class="muted">–</span>}</td>
      {isComparing && (
        <td>
          <span class={`change is-${change.change}`}>
            {change.change === 'changed' || change.change === 'added' ? (
              <Value value={change.after} />
            ) : (
              <span class="muted">{CHANGE_TEXT[change.change]}</span>
            )}
            {change.change !== 'same' && <span class="change-word">{CHANGE_TEXT[change.change]}</span>}
          </span>
        </td>
      )}
      <td class="version">
        {version === undefined ? <span class="muted">–</span> : versionText(version)}
        {(origin?.isCorrection === true || (facts?.version?.revision ?? 0) > 0) && (
          <span class="mark is-correction">
            <Icon name="correction" />
            corrected
          </span>
        )}
      </td>
      <td class="is-right">
        {time !== undefined && <Age time={time} />}
        {time === undefined && historyFrom !== undefined && (
          <span class="muted">
            over <Age time={historyFrom} />
          </span>
        )}
      </td>
    </tr>
  );
}
