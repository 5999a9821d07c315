import type { AttributeVersion, WholeDevice } from '@twinstream/api-contract';
import type { JsonObject, JsonValue } from '@twinstream/device-model';
import { Fragment } from 'preact';
import { ageText } from '../model/age.ts';
import type { AttributeOrigin } from '../model/attribute-origins.ts';
import { type AttributeChange, differenceOf } from '../model/state-difference.ts';
import { valueText } from '../model/value-text.ts';
import { versionText } from '../model/version-text.ts';
import { LivenessMark, ReportedStatus } from '../parts/health.tsx';
import { Icon } from '../parts/icon.tsx';
import { Age } from '../parts/time.tsx';

/** A state to compare with. */
export interface ComparedState {
  readonly device: WholeDevice;
  /** Of its column; absent for the present of the same device. */
  readonly title?: string;
}

export interface AttributesTableProps {
  /** The state shown: now, or at a moment. */
  readonly shown: WholeDevice;
  /** What it is compared with: the present, another moment, or another device. */
  readonly compared: ComparedState | undefined;
  readonly origins: ReadonlyMap<string, AttributeOrigin>;
  /** Arrival of the oldest event at hand; milliseconds since 1970. */
  readonly historyFrom: number | undefined;
  /** The moment shown, milliseconds since 1970; undefined for now. */
  readonly atMs: number | undefined;
}

function isFlatObject(value: JsonValue): value is JsonObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((member) => typeof member !== 'object' || member === null)
  );
}

/** A value, the members of a flat object one by line. */
function Value({ value }: { readonly value: JsonValue }) {
  if (isFlatObject(value)) {
    return (
      <span class="value">
        {Object.entries(value).map(([name, member]) => (
          <span key={name} class="value-member">
            <span class="muted">{name}</span> {valueText(member)}
          </span>
        ))}
      </span>
    );
  }
  const text = valueText(value);
  return (
    <span class={`value ${typeof value === 'string' ? '' : 'is-exact'}`}>{text === '' ? '“”' : text}</span>
  );
}

/** A name that breaks where its words meet. */
function AttributeName({ name }: { readonly name: string }) {
  return (
    <>
      {name.split(/(?<=[a-z0-9])(?=[A-Z])|(?<=[_.:/-])/).map((word, index) => (
        <Fragment key={`${index} ${word}`}>
          {index > 0 && <wbr />}
          {word}
        </Fragment>
      ))}
    </>
  );
}

/** Attributes may have the names that every object has. */
function writerOf({ attributeVersions = {} }: WholeDevice, name: string): AttributeVersion | undefined {
  return Object.hasOwn(attributeVersions, name) ? attributeVersions[name] : undefined;
}

type ChangeText = Readonly<Record<AttributeChange['change'], string>>;
const CHANGE_TEXT: ChangeText = {
  same: 'unchanged',
  changed: 'changed',
  added: 'not set at that time',
  removed: 'removed since',
};
const DIFFERENCE_TEXT: ChangeText = {
  same: 'equal',
  changed: 'different',
  added: 'only here',
  removed: 'not set',
};

/** Attributes by name, each with the version that wrote it and its age; of a past state, with its difference to the present. */
export function AttributesTable({ shown, compared, origins, historyFrom, atMs }: AttributesTableProps) {
  const changes = differenceOf(shown.attributes, (compared?.device ?? shown).attributes);
  const changedCount = changes.filter(({ change }) => change !== 'same').length;
  if (changes.length === 0)
    return <p class="empty">No attributes{atMs === undefined ? '' : ' at that time'}.</p>;
  const { title } = compared ?? {};
  const differs = title === undefined ? 'changed since' : `different from ${title}`;
  return (
    <>
      {compared !== undefined && (
        <p class="change-line">
          <LivenessMark device={shown} />
          <ReportedStatus device={shown} />
          <span class="change-count" role="status">
            {changedCount === 0
              ? `No attribute ${title === undefined ? 'has' : 'is'} ${differs}.`
              : `${changedCount} of ${changes.length} attributes ${verb(changedCount, title)} ${differs}.`}
          </span>
        </p>
      )}
      <table class={`attributes ${compared === undefined ? '' : 'is-comparing'}`}>
        <thead>
          <tr>
            <th scope="col">Attribute</th>
            <th scope="col">{atMs === undefined ? (title === undefined ? 'Value' : 'Now') : 'Then'}</th>
            {compared !== undefined && <th scope="col">{title ?? 'Now'}</th>}
            <th scope="col">Version</th>
            <th scope="col" class="is-right">
              {atMs === undefined ? 'Age' : 'Age then'}
            </th>
          </tr>
        </thead>
        <tbody>
          {changes.map((change) => (
            <Row
              key={change.name}
              change={change}
              words={compared && (title === undefined ? CHANGE_TEXT : DIFFERENCE_TEXT)}
              writer={writerOf(shown, change.name)}
              origin={origins.get(change.name)}
              historyFrom={historyFrom}
              atMs={atMs}
            />
          ))}
        </tbody>
      </table>
    </>
  );
}

function verb(count: number, title: string | undefined): string {
  if (title === undefined) return count === 1 ? 'has' : 'have';
  return count === 1 ? 'is' : 'are';
}

/** An age as of the moment shown. */
function AgeAt({ time, atMs }: { readonly time: number; readonly atMs: number | undefined }) {
  if (atMs === undefined) return <Age time={time} />;
  return <span class="age">{ageText(atMs - time)}</span>;
}

interface RowProps {
  readonly change: AttributeChange;
  /** Words for the changes; undefined where nothing is compared. */
  readonly words: ChangeText | undefined;
  readonly writer: AttributeVersion | undefined;
  readonly origin: AttributeOrigin | undefined;
  readonly historyFrom: number | undefined;
  readonly atMs: number | undefined;
}

function Row({ change, words, writer, origin, historyFrom, atMs }: RowProps) {
  const version = writer ?? origin?.identity;
  const time = writer?.arrivalTime === undefined ? origin?.time : Date.parse(writer.arrivalTime);
  return (
    <tr class={`change-${words === undefined ? 'none' : change.change}`}>
      <th scope="row">
        <AttributeName name={change.name} />
      </th>
      <td>{'before' in change ? <Value value={change.before} /> : <span class="muted">–</span>}</td>
      {words !== undefined && (
        <td>
          <span class={`change is-${change.change}`}>
            {change.change === 'changed' || change.change === 'added' ? (
              <Value value={change.after} />
            ) : (
              <span class="muted">{words[change.change]}</span>
            )}
            {change.change !== 'same' && <span class="change-word">{words[change.change]}</span>}
          </span>
        </td>
      )}
      <td class="version">
        {version === undefined ? <span class="muted">–</span> : versionText(version)}
        {(origin?.isCorrection === true || (writer?.revision ?? 0) > 0) && (
          <span class="mark is-correction">
            <Icon name="correction" />
            corrected
          </span>
        )}
      </td>
      <td class="is-right">
        {time !== undefined && <AgeAt time={time} atMs={atMs} />}
        {time === undefined && historyFrom !== undefined && (
          <span class="muted">
            over <AgeAt time={historyFrom} atMs={atMs} />
          </span>
        )}
      </td>
    </tr>
  );
}
