import type { CompiledRule } from './compile-rule.ts';
import type { Decode } from './payload-format.ts';

/** A mapping as closures. */
export interface CompiledMapping {
  readonly name: string;
  readonly version: number;
  /** Name of the format of its records. */
  readonly format: string;
  /** Equal in mappings that decode a record in the same way, so that it is decoded once. */
  readonly decodedAs: string;
  readonly decode: Decode;
  readonly rules: readonly CompiledRule[];
}
