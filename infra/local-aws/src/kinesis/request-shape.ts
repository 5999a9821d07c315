import { type ApiError, serializationFailed, validationFailed } from './api-error.ts';

/** How the wire at hand writes what JSON and CBOR write differently. Both throw SerializationException. */
export interface WireValues {
  blob(value: unknown): Uint8Array;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  timestampMs(value: unknown): number;
}

/** State of reading one request. */
export interface Reading {
  readonly wire: WireValues;
  /** Members from the request down to the one at hand, in AWS's spelling: `records`, `1`, `member`, `data`. */
  readonly path: string[];
  readonly faults: string[];
}

/** Reads one kind of value. A value of the wrong type throws; one that breaks a constraint is noted and read. */
export interface Shape<Value> {
  read(value: unknown, reading: Reading): Value;
}

/** Maximum number of faults that AWS names per request. */
const FAULTS_MAX = 10;

/**
 * Reads a request's members. Throws SerializationException at the first value of a wrong type, otherwise
 * ValidationException with every constraint that was broken.
 */
export function readRequest<Value>(shape: Shape<Value>, body: unknown, wire: WireValues): Value {
  const reading: Reading = { wire, path: [], faults: [] };
  const value = shape.read(body, reading);
  const { faults } = reading;
  if (faults.length === 0) return value;
  throw validationFailed(
    `${faults.length} validation error${faults.length > 1 ? 's' : ''} detected: ${faults.join('; ')}`,
  );
}

function fault(reading: Reading, shown: string, constraint: string): void {
  if (reading.faults.length >= FAULTS_MAX) return;
  reading.faults.push(
    `Value ${shown} at '${reading.path.join('.')}' failed to satisfy constraint: ${constraint}`,
  );
}

function noteLength(
  reading: Reading,
  length: number,
  limits: { min?: number; max?: number },
  shown: () => string,
) {
  if (limits.min !== undefined && length < limits.min) {
    fault(reading, shown(), `Member must have length greater than or equal to ${limits.min}`);
  }
  if (limits.max !== undefined && length > limits.max) {
    fault(reading, shown(), `Member must have length less than or equal to ${limits.max}`);
  }
}

/** What AWS calls the type of a JSON value in its messages. */
function wrongType(value: unknown, wanted: string): ApiError {
  if (Array.isArray(value)) return serializationFailed('Start of list found where not expected');
  switch (typeof value) {
    case 'object':
      return serializationFailed('Start of structure or map found where not expected.');
    case 'boolean':
      return serializationFailed(`class java.lang.Boolean can not be converted to ${wanted}`);
    case 'string':
      return serializationFailed(`class java.lang.String can not be converted to ${wanted}`);
    default:
      return serializationFailed(`class java.math.BigDecimal can not be converted to ${wanted}`);
  }
}

export interface TextLimits {
  readonly min?: number;
  readonly max?: number;
  /** The whole text, in AWS's spelling. */
  readonly pattern?: string;
}

/** A string. Lengths count Unicode scalar values (Smithy 2.0, "length trait", read 2026-11; AWS documents its APIs in Smithy). */
export function text(limits: TextLimits = {}): Shape<string> {
  const pattern = limits.pattern === undefined ? undefined : new RegExp(`^(?:${limits.pattern})$`);
  return {
    read: (value, reading) => {
      if (typeof value !== 'string') throw wrongType(value, 'an String');
      noteLength(reading, characterCount(value, limits.max), limits, () => `'${value}'`);
      if (pattern && !pattern.test(value)) {
        fault(reading, `'${value}'`, `Member must satisfy regular expression pattern: ${limits.pattern}`);
      }
      return value;
    },
  };
}

/** Only a text of more units than the limit needs counting. */
function characterCount(value: string, max = Number.POSITIVE_INFINITY): number {
  return value.length <= max ? value.length : [...value].length;
}

/** One of some strings. */
export function oneOf<const Values extends readonly [string, ...string[]]>(
  values: Values,
): Shape<Values[number]> {
  return {
    read: (value, reading) => {
      if (typeof value !== 'string') throw wrongType(value, 'an String');
      const known = values.find((candidate) => candidate === value);
      if (known === undefined) {
        fault(reading, `'${value}'`, `Member must satisfy enum value set: [${values.join(', ')}]`);
      }
      return known ?? values[0];
    },
  };
}

export function integer(limits: { readonly min?: number; readonly max?: number } = {}): Shape<number> {
  return {
    read: (value, reading) => {
      if (typeof value !== 'number') throw wrongType(value, 'an Integer');
      if (limits.min !== undefined && value < limits.min) {
        fault(reading, `'${value}'`, `Member must have value greater than or equal to ${limits.min}`);
      }
      if (limits.max !== undefined && value > limits.max) {
        fault(reading, `'${value}'`, `Member must have value less than or equal to ${limits.max}`);
      }
      return Math.floor(value);
    },
  };
}

export const flag: Shape<boolean> = {
  read: (value) => {
    if (typeof value !== 'boolean') throw wrongType(value, 'an Boolean');
    return value;
  },
};

export const timestampMs: Shape<number> = {
  read: (value, reading) => reading.wire.timestampMs(value),
};

export function blob(limits: { readonly max: number }): Shape<Uint8Array> {
  return {
    read: (value, reading) => {
      const bytes = reading.wire.blob(value);
      noteLength(
        reading,
        bytes.length,
        limits,
        () => `'java.nio.HeapByteBuffer[pos=0 lim=${bytes.length} cap=${bytes.length}]'`,
      );
      return bytes;
    },
  };
}

export function list<Item>(
  item: Shape<Item>,
  limits: { readonly min?: number; readonly max?: number } = {},
): Shape<readonly Item[]> {
  return {
    read: (value, reading) => {
      if (!Array.isArray(value)) {
        throw typeof value === 'object' ? wrongType(value, '') : serializationFailed('Expected list or null');
      }
      noteLength(reading, value.length, limits, () => '[…]');
      if (limits.max !== undefined && value.length > limits.max) return [];
      return value.map((element: unknown, index) => {
        reading.path.push(String(index + 1), 'member');
        const read = item.read(element, reading);
        reading.path.length -= 2;
        return read;
      });
    },
  };
}

/** Values by their keys. */
export function mapOf<Value>(
  key: Shape<string>,
  item: Shape<Value>,
  limits: { readonly min?: number; readonly max?: number } = {},
): Shape<Readonly<Record<string, Value>>> {
  return {
    read: (value, reading) => {
      if (!isObject(value)) {
        throw Array.isArray(value) ? wrongType(value, '') : serializationFailed('Expected map or null');
      }
      const entries = Object.entries(value);
      noteLength(reading, entries.length, limits, () => '{…}');
      return Object.fromEntries(
        entries.map(([name, element]) => {
          reading.path.push(name, 'member');
          const read = [key.read(name, reading), item.read(element, reading)] as const;
          reading.path.length -= 2;
          return read;
        }),
      );
    },
  };
}

/** A member that may be absent. */
export function optional<Value>(shape: Shape<Value>): Shape<Value | undefined> {
  return {
    read: (value, reading) =>
      value === undefined || value === null ? undefined : shape.read(value, reading),
  };
}

/** A member that must be there. When it is not, reading goes on with `instead`, and the request is refused. */
export function required<Value>(shape: Shape<Value>, instead: NoInfer<Value>): Shape<Value> {
  return {
    read: (value, reading) => {
      if (value !== undefined && value !== null) return shape.read(value, reading);
      fault(reading, 'null', 'Member must not be null');
      return instead;
    },
  };
}

type Members = Readonly<Record<string, Shape<unknown>>>;
type Structure<M extends Members> = {
  readonly [Name in keyof M]: M[Name] extends Shape<infer Value> ? Value : never;
};

/** An object of named members; others are ignored, as AWS ignores them. */
export function structure<M extends Members>(members: M): Shape<Structure<M>> {
  const entries = Object.entries(members).map(
    ([name, shape]) => [name, name.charAt(0).toLowerCase() + name.slice(1), shape] as const,
  );
  return {
    read: (value, reading) => {
      if (!isObject(value)) {
        throw Array.isArray(value) ? wrongType(value, '') : serializationFailed('Expected null');
      }
      const read: Record<string, unknown> = {};
      for (const [name, spelling, shape] of entries) {
        reading.path.push(spelling);
        read[name] = shape.read(value[name], reading);
        reading.path.length -= 1;
      }
      return read as Structure<M>;
    },
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
