import type { CompiledRule } from './compile-rule.ts';
import type { Decode } from './payload-format.ts';
import type { Scope } from './scope.ts';

/** A mapping as closures. */
export interface CompiledMapping {
  readonly name: string;
  readonly version: number;
  /** Name of the format of its records. */
  readonly format: string;
  /** Equal in mappings that decode a record in the same way, so that it is decoded once. */
  readonly decodedAs: string;
  readonly decode: Decode;
  /** Sets the payload of a scope; false where the mapping is not for it. */
  unwrap(scope: Scope): boolean;
  readonly rules: readonly CompiledRule[];
}
