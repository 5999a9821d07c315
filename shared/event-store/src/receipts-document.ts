import type {
  CounterRange,
  JsonObject,
  JsonValue,
  Receipts,
  SessionReceipts,
} from '@twinstream/device-model';
import { asArray, asNumber, asText, listOf, optional } from './json-members.ts';

/**
 * Receipts as JSON. A session is `[session, lowest, highest, floor or null, …]`, then for each range the distance of its
 * first counter from the last one of the range before (from `lowest` for the first) and its length less one: small
 * numbers, which compress.
 */
export function receiptsDocument(receipts: Receipts): JsonObject {
  const { sessionFloor, correctionsDropped } = receipts;
  return {
    sessions: [...receipts.sessions].map(([session, known]) => sessionDocument(session, known)),
    ...(sessionFloor === undefined ? {} : { sessionFloor }),
    ...(receipts.corrections.length === 0
      ? {}
      : {
          corrections: receipts.corrections.map(({ correctionId, session, counter, ordinal, revision }) => [
            correctionId,
            session,
            counter,
            ordinal,
            revision,
          ]),
        }),
    ...(correctionsDropped === 0 ? {} : { correctionsDropped }),
  };
}

function sessionDocument(session: number, { lowest, highest, floor, ranges }: SessionReceipts): JsonValue {
  const document: JsonValue[] = [session, lowest, highest, floor ?? null];
  let at = lowest;
  for (const { first, last } of ranges) {
    document.push(first - at, last - first);
    at = last;
  }
  return document;
}

/** Inverse of {@link receiptsDocument}. Throws TypeError for a document that is none. */
export function readReceipts(document: JsonObject): Receipts {
  const sessionFloor = optional(document.sessionFloor, asNumber);
  return {
    sessions: new Map(listOf(document.sessions, readSession)),
    ...(sessionFloor === undefined ? {} : { sessionFloor }),
    corrections: listOf(document.corrections, (value) => {
      const [correctionId, ...version] = asArray(value);
      const [session = 0, counter = 0, ordinal = 0, revision = 0] = version.map(asNumber);
      return { correctionId: asText(correctionId), session, counter, ordinal, revision };
    }),
    correctionsDropped: optional(document.correctionsDropped, asNumber) ?? 0,
  };
}

function readSession(value: JsonValue): [number, SessionReceipts] {
  const [session, lowestValue, highest, floor, ...steps] = asArray(value);
  const lowest = asNumber(lowestValue);
  const ranges: CounterRange[] = [];
  let at = lowest;
  for (let index = 0; index < steps.length; index += 2) {
    const first = at + asNumber(steps[index]);
    at = first + asNumber(steps[index + 1]);
    ranges.push({ first, last: at });
  }
  const known = { lowest, highest: asNumber(highest), ranges };
  return [asNumber(session), floor === null ? known : { ...known, floor: asNumber(floor) }];
}
