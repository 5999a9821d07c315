import {
  createFileRegistry,
  type DescField,
  type DescMessage,
  type FileRegistry,
  fromBinary,
  ScalarType,
} from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import { FeatureSet_FieldPresence, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { plainOf } from './decode-cbor.ts';
import { RECORD_LIMITS } from './limits.ts';
import type { PayloadCodec } from './payload-format.ts';
import { type PayloadValue, setMember } from './payload-value.ts';

/** Types of a descriptor set, as `protoc --include_imports --descriptor_set_out` writes it. Throws where the bytes are none. */
export function readDescriptorSet(bytes: Uint8Array): FileRegistry {
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
}

/**
 * One message as a JSON value: members by their names in the `.proto` file, enumerations by name, bytes as base64, whole
 * numbers of 64 bits as numbers in their own digits, `float` by the shortest decimal that it holds. A field that is not set
 * is left out, but for those of proto3 without `optional`, which have their zero.
 */
export function protobufCodec(types: FileRegistry, message: string): PayloadCodec | undefined {
  const type = types.getMessage(message);
  if (type === undefined) return undefined;
  return { decode: (bytes) => [objectOf(type, reflect(type, fromBinary(type, bytes)), 0)] };
}

function objectOf(type: DescMessage, message: ReflectMessage, depth: number): PayloadValue {
  if (depth > RECORD_LIMITS.depthMax) throw new RangeError('too deep');
  const object: { [name: string]: PayloadValue } = {};
  for (const field of type.fields) {
    const isAlwaysThere = field.presence === FeatureSet_FieldPresence.IMPLICIT && field.fieldKind !== 'map';
    if (!isAlwaysThere && !message.isSet(field)) continue;
    setMember(object, field.name, fieldValue(field, message.get(field), depth + 1));
  }
  return object;
}

function fieldValue(field: DescField, value: unknown, depth: number): PayloadValue {
  if (field.fieldKind === 'list') {
    return [...(value as Iterable<unknown>)].map((element) => single(field, element, depth + 1));
  }
  if (field.fieldKind !== 'map') return single(field, value, depth);
  const object: { [name: string]: PayloadValue } = {};
  for (const [name, element] of value as Iterable<[unknown, unknown]>) {
    setMember(object, String(name), single(field, element, depth + 1));
  }
  return object;
}

function single(field: DescField, value: unknown, depth: number): PayloadValue {
  if (field.message !== undefined) return objectOf(field.message, value as ReflectMessage, depth);
  if (field.enum !== undefined) return field.enum.value[Number(value)]?.name ?? Number(value);
  return field.scalar === ScalarType.FLOAT ? shortestFloat(Number(value)) : plainOf(value, depth);
}

const FLOAT_DIGITS_MIN = 6;
/** Digits that tell any two floats apart (IEEE 754, binary32). */
const FLOAT_DIGITS_MAX = 9;

/** A number of 32 bits by the fewest digits that mean it: 21.3, not 21.299999237060547. */
function shortestFloat(value: number): number {
  if (!Number.isFinite(value)) throw new TypeError('not a finite number');
  for (let digits = FLOAT_DIGITS_MIN; digits < FLOAT_DIGITS_MAX; digits += 1) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return shorter;
  }
  return value;
}
