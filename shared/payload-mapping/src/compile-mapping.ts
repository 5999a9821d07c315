import { isExactNumber, isStorableNumber } from '@twinstream/device-model';
import { type Document, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { compileRule } from './compile-rule.ts';
import type { CompiledMapping } from './compiled-mapping.ts';
import { type Codecs, formatName, openFormats } from './formats.ts';
import { MAPPING_LIMITS } from './limits.ts';
import { type MappingDocument, mappingDocumentSchema } from './mapping-document.ts';
import { type DocumentFault, InvalidDocument } from './mapping-fault.ts';
import { openMapper, type PayloadMapper } from './payload-mapper.ts';

/** Faults of mapping documents, all that were found. */
export interface InvalidMappings {
  readonly faults: readonly DocumentFault[];
}

/** Reads a mapping document from its text, YAML or JSON. Aliases are refused: a short document must not become a long one. */
export function parseMappingText(text: string): MappingDocument | InvalidMappings {
  if (text.length > MAPPING_LIMITS.documentCharactersMax) {
    const message = `a mapping has at most ${MAPPING_LIMITS.documentCharactersMax} characters`;
    return { faults: [{ at: '', message }] };
  }
  let document: Document;
  let value: unknown;
  try {
    document = parseDocument(text, { version: '1.2', uniqueKeys: true });
    value = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    return { faults: [{ at: '', message: error instanceof Error ? error.message : 'not YAML' }] };
  }
  if (document.errors.length > 0) {
    return { faults: document.errors.map(({ message }) => ({ at: '', message })) };
  }
  const inexact = inexactNumbersOf(document);
  return inexact.length > 0 ? { faults: inexact } : readMapping(value);
}

/** Decimal numbers, as JSON and YAML write them. */
const DECIMAL = /^[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?$/;

function inexactNumbersOf(document: Document): DocumentFault[] {
  const faults: DocumentFault[] = [];
  visit(document, {
    Scalar: (_, { value, source }) => {
      if (typeof value !== 'number' || source === undefined || !DECIMAL.test(source)) return;
      if (!isStorableNumber(value) || isExactNumber(source, value)) return;
      faults.push({ at: '', message: `${source} would be rounded: write it as a text, in quotes` });
    },
  });
  return faults;
}

/** Places of members named `__proto__`, which no schema keeps. */
function protoNames(value: unknown, at: string, depth: number): DocumentFault[] {
  if (typeof value !== 'object' || value === null || depth > VALUE_LEVELS_MAX) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const place = Array.isArray(value) ? `${at}[${name}]` : joinPath(at, name);
    if (name === '__proto__') return [{ at: place, message: 'the name __proto__ cannot be used here' }];
    return protoNames(member, place, depth + 1);
  });
}
/** Far deeper than any valid document. */
const VALUE_LEVELS_MAX = 64;

/** Checks what a mapping document says, not yet what it names. */
export function readMapping(value: unknown): MappingDocument | InvalidMappings {
  const faults = protoNames(value, '', 0);
  if (faults.length > 0) return { faults };
  const read = mappingDocumentSchema.safeParse(value);
  return read.success ? read.data : { faults: faultsOf(read.error.issues, '') };
}

/** The deepest fault of each alternative says most: a union by itself only says that nothing fits. */
function faultsOf(issues: readonly z.core.$ZodIssue[], prefix: string): DocumentFault[] {
  return issues.flatMap((issue) => {
    const at = issue.path.reduce<string>((path, part) => joinPath(path, part), prefix);
    if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ at, message: issue.message }];
    const alternatives = issue.errors.map((errors) => faultsOf(errors, at));
    const depthOf = (faults: readonly DocumentFault[]) => Math.max(...faults.map((fault) => fault.at.length));
    return alternatives.reduce((best, each) => (depthOf(each) >= depthOf(best) ? each : best));
  });
}

function joinPath(path: string, part: PropertyKey): string {
  if (typeof part === 'number') return `${path}[${part}]`;
  return path === '' ? String(part) : `${path}.${String(part)}`;
}

export interface CompileOptions {
  /** Codecs that mappings may name as `format: {codec: NAME}`. */
  readonly codecs?: Codecs;
}

/**
 * Compiles mappings, the first that matches a record counts. Without any, the mapper takes events of this project's own
 * format alone; with some, it takes those as well. Returns every fault of the documents instead where there is one.
 */
export function compileMappings(
  documents: readonly MappingDocument[],
  { codecs = new Map() }: CompileOptions = {},
): PayloadMapper | InvalidMappings {
  if (documents.length > MAPPING_LIMITS.mappingsMax) {
    return { faults: [{ at: '', message: `at most ${MAPPING_LIMITS.mappingsMax} mappings` }] };
  }
  const faults: DocumentFault[] = [];
  const compiled: CompiledMapping[] = [];
  for (const document of documents) {
    try {
      compiled.push(compileMapping(document, codecs));
    } catch (error) {
      if (!(error instanceof InvalidDocument)) throw error;
      faults.push({ at: `${document.mapping}: ${error.at}`, message: error.message });
    }
  }
  const names = documents.map(({ mapping }) => mapping);
  for (const name of new Set(names.filter((each, index) => names.indexOf(each) !== index))) {
    faults.push({ at: `${name}: mapping`, message: 'the name is taken by another mapping' });
  }
  return faults.length > 0 ? { faults } : openMapper(compiled);
}

/** Whether one record may hold several payloads, as an application's codec may tell as well, or a payload several events. */
function isMany({ format = 'json', rules }: MappingDocument): boolean {
  const isManyPayloads = format === 'ndjson' || (typeof format === 'object' && 'codec' in format);
  return isManyPayloads || rules.some(({ each }) => each !== undefined);
}

function compileMapping(document: MappingDocument, codecs: Codecs): CompiledMapping {
  const { mapping, version, format = 'json', gzip = false } = document;
  const formats = openFormats(codecs, document.descriptorSets);
  const names = document.rules.map((rule) => rule.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new InvalidDocument(`rules.${twice}`, 'the name is taken by another rule');
  const stamp = { name: mapping, version };
  return {
    name: mapping,
    version,
    format: formatName(format),
    decodedAs: typeof format === 'string' ? `${format} ${gzip}` : mapping,
    decode: formats.decoder(format, gzip, 'format'),
    isMany: isMany(document),
    rules: document.rules.map((rule) => compileRule(rule, stamp, formats)),
  };
}
