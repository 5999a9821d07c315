export { attributeNameBytes, withAttributesBounded } from './attribute-bound.ts';
export * from './correction-ahead.ts';
export { type ArrivedEvent, type DeviceHistory, isBelowHighWaterMark, isOvertaken } from './decide-event.ts';
export * from './decode-event.ts';
export * from './device-event.ts';
export * from './device-id.ts';
export * from './device-state.ts';
export * from './encode-event.ts';
export * from './entry-decoder.ts';
export * from './event-key.ts';
export * from './event-page.ts';
export * from './event-time.ts';
export * from './event-version.ts';
export { countLongNumbers, parseExactJson } from './exact-json.ts';
export * from './fold.ts';
export * from './json.ts';
export {
  compareNumbers,
  inexactNumbers,
  isExactNumber,
  isNumberText,
  isStorableNumber,
  numberOf,
} from './json-number.ts';
export { jsonAt, jsonMembers, withJsonAt } from './json-text.ts';
export * from './keep-words.ts';
export * from './other-members.ts';
export * from './plan-page.ts';
export * from './receipts.ts';
export * from './rejection.ts';
export { isCopy, type SourceCounter, withIdentityText } from './source-counter.ts';
export * from './stored-time.ts';
export { UPCASTERS, type Upcaster, upcast } from './upcast.ts';
