import type { JsonObject } from '@twinstream/device-model';
import { valueText } from '../model/value-text.ts';

export interface ReadingsProps {
  readonly attributes: JsonObject;
  /** Attributes that have a place of their own. */
  readonly leftOut?: readonly string[];
  /** Most attributes shown. */
  readonly countMax: number;
}

/** Attributes on one line. */
export function Readings({ attributes, leftOut = [], countMax }: ReadingsProps) {
  const shown = Object.entries(attributes)
    .filter(([name]) => !leftOut.includes(name))
    .slice(0, countMax);
  return (
    <>
      {shown.map(([name, value]) => (
        <span key={name} class="reading">
          <span class="reading-name">{name}</span> {valueText(value)}
        </span>
      ))}
    </>
  );
}
