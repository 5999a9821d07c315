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
  /** Whether a record of it may become several events, by what the document says and not by what a record holds. */
  readonly isMany: boolean;
  readonly rules: readonly CompiledRule[];
}
