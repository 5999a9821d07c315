import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { callerPath } from '@twinstream/command-line';
import { CodedError } from '@twinstream/runtime';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { readSettings, type Settings } from './settings.ts';

const SHIPPED_FOLDER = fileURLToPath(new URL('../../scenarios/', import.meta.url));
const EXTENSIONS = ['.yaml', '.yml', '.json'];

/** Names of the scenarios that come with the simulator. */
export function shippedScenarios(): readonly string[] {
  return readdirSync(SHIPPED_FOLDER)
    .filter((name) => EXTENSIONS.includes(extname(name)))
    .map((name) => basename(name, extname(name)))
    .sort();
}

const scenarioSchema = z.looseObject({
  /** What the scenario is for; read by people only. */
  description: z.string({ error: 'must be text' }).optional(),
});

/**
 * The settings of a scenario: the path of a YAML or JSON file, or the name of one that comes with the simulator. Its keys
 * are flags without their dashes (`out-of-order` or `outOfOrder`), beside `description`. An `input` is sought from the
 * file's folder. Throws `INVALID_USAGE` naming the file and everything wrong in it.
 */
export function readScenario(nameOrPath: string, folder: string): Settings {
  const path = pathOf(nameOrPath, folder);
  const { description: _, ...given } = parseScenario(path);
  const settings = readSettings(
    Object.fromEntries(Object.entries(given).map(([name, value]) => [camelCase(name), value])),
    (name) => `${path}: ${name}`,
  );
  const { input } = settings;
  if (input === undefined || input === '-' || isAbsolute(input)) return settings;
  return { ...settings, input: join(dirname(path), input) };
}

function pathOf(nameOrPath: string, folder: string): string {
  const shipped = shippedScenarios();
  if (!shipped.includes(nameOrPath)) return callerPath(nameOrPath, folder);
  const file = readdirSync(SHIPPED_FOLDER).find((name) => basename(name, extname(name)) === nameOrPath);
  return join(SHIPPED_FOLDER, file ?? nameOrPath);
}

function parseScenario(path: string): z.infer<typeof scenarioSchema> {
  const document = parseDocument(readScenarioText(path), { uniqueKeys: true });
  const [syntax] = document.errors;
  if (syntax !== undefined) throw new CodedError('INVALID_USAGE', `${path}: ${syntax.message}`);
  const result = scenarioSchema.safeParse(document.toJS());
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path: [name], message }) =>
    name === undefined ? 'must be a mapping of settings' : `${String(name)}: ${message}`,
  );
  throw new CodedError('INVALID_USAGE', faults.map((fault) => `${path}: ${fault}`).join('\n'));
}

function readScenarioText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const why = isMissing ? 'there is no such file' : String(error);
    const names = shippedScenarios().join(', ');
    throw new CodedError('INVALID_USAGE', `--scenario ${path}: ${why}. These come along: ${names}`);
  }
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
