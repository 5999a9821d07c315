import { readdir, readFile } from 'node:fs/promises';
import { compileMappings, type PayloadMapper, parseMappingText } from '@twinstream/payload-mapping';

/** A mapping of the folder `mappings/`. */
export interface ReadyMade {
  readonly name: string;
  readonly text: string;
  readonly mapper: PayloadMapper;
}

const FOLDER = new URL('../../../mappings/', import.meta.url);
const EXTENSION = '.yaml';
/** The least particular one, which takes what others would take better: `adopt` proposes its own instead. */
const LEAST_PARTICULAR = 'flat-telemetry';

/** The ready-made mappings of formats that are known by name. Throws Error where one of them does not compile. */
export async function readReadyMade(): Promise<readonly ReadyMade[]> {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith(EXTENSION)).sort();
  const names = files
    .map((file) => file.slice(0, -EXTENSION.length))
    .filter((name) => name !== LEAST_PARTICULAR);
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(`${name}${EXTENSION}`, FOLDER), 'utf8');
      return { name, text, mapper: mapperOf(text, name) };
    }),
  );
}

/** Compiles one mapping document. Throws Error with every fault of it. */
export function mapperOf(text: string, name: string): PayloadMapper {
  const document = parseMappingText(text);
  const mapper = 'faults' in document ? document : compileMappings([document]);
  if (!('faults' in mapper)) return mapper;
  const faults = mapper.faults.map(({ at, message }) => `\n  ${at === '' ? 'document' : at}: ${message}`);
  throw new Error(`the mapping ${name} has faults:${faults.join('')}`);
}
