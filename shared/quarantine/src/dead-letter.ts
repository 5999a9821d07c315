import { quarantineKey } from './quarantine-key.ts';
import { decodeQuarantinedRecord } from './quarantine-lines.ts';
import type { QuarantinedRecord } from './quarantined-record.ts';
import type { Resolution } from './resolution.ts';
import { readResolved, resolvedKey } from './resolved-lines.ts';

/** An object of the dead-letter store as a verification sees it. */
export type DeadLetter =
  | {
      readonly key: string;
      readonly record: QuarantinedRecord;
      /** Present where it was taken out of quarantine. */
      readonly resolution?: Resolution;
    }
  | {
      readonly key: string;
      /** Why it is none of a record. Never holds the content. */
      readonly fault: string;
    };

/** Reads an object below `quarantine/`. Never throws. */
export function readDeadLetter(key: string, text: string): DeadLetter {
  return read(key, () => {
    const record = decodeQuarantinedRecord(text, key);
    return { key, record, ownKey: quarantineKey(record) };
  });
}

/** Reads an object below `quarantine-resolved/`. Never throws. */
export function readResolvedLetter(key: string, text: string): DeadLetter {
  return read(key, () => {
    const { resolution, rest } = readResolved(text, key);
    const record = decodeQuarantinedRecord(rest, key);
    return { key, record, resolution, ownKey: resolvedKey(quarantineKey(record)) };
  });
}

function read(
  key: string,
  open: () => Extract<DeadLetter, { record: unknown }> & { readonly ownKey: string },
): DeadLetter {
  try {
    const { ownKey, ...letter } = open();
    return ownKey === key ? letter : { key, fault: 'its name is not that of the record in it' };
  } catch (error) {
    return { key, fault: error instanceof Error ? error.message : String(error) };
  }
}
