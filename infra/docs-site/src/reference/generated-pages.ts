import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { archiverConfiguration } from '@twinstream/event-archiver';
import { operationsConfiguration } from '@twinstream/operations/services';
import { PARTS, rootProgram } from '@twinstream/packages/program';
import { queryApiConfiguration } from '@twinstream/query-api/configuration';
import { projectorConfiguration } from '@twinstream/state-projector/configuration';
import { parse } from 'yaml';
import { titleOf } from '../headings.ts';
import { ROOT } from '../site-folders.ts';
import { sourceText } from '../site-pages.ts';
import type { PageText } from '../split-sections.ts';
import { commandLinePage } from './command-line.ts';
import { environmentTable } from './environment.ts';
import { apiDocument, httpApiPage } from './http-api.ts';
import { markdownTable, namedSchemas, schemaText } from './json-schema.ts';

/** No help text holds it. */
const VERSION = '';
/** The published OpenAPI document, below the site's root. */
export const OPENAPI_FILE = 'files/openapi.json';

/** Processes that read their settings from the environment. */
const PROCESSES = [
  { name: 'projector', read: projectorConfiguration },
  { name: 'archiver', read: archiverConfiguration },
  { name: 'query API', read: queryApiConfiguration },
  { name: '`twinstream ops`', read: operationsConfiguration },
];

/** The text of the OpenAPI document. */
export function openApiText(): string {
  return `${JSON.stringify(apiDocument(), undefined, 2)}\n`;
}

/** The pages that are made of the code: commands, HTTP API, mapping language, ready-made mappings, settings, list of decisions. */
export async function generatedPages(): Promise<readonly PageText[]> {
  return [
    { path: '/reference/cli', text: await cliPage() },
    { path: '/reference/http-api', text: httpApiPage(apiDocument(), `/${OPENAPI_FILE}`) },
    { path: '/reference/mapping-language', text: mappingLanguagePage() },
    { path: '/mappings', text: readyMadeMappingsPage() },
    { path: '/reference/configuration', text: configurationPage() },
    { path: '/adr/', text: decisionsPage() },
  ];
}

async function cliPage(): Promise<string> {
  const root = rootProgram(VERSION);
  const parts = await Promise.all(
    [...PARTS].map(async ([name, { summary, program }]) => (await program()).name(name).summary(summary)),
  );
  for (const [name, { summary }] of PARTS) root.command(name).summary(summary);
  return commandLinePage(root, parts);
}

function mappingLanguagePage(): string {
  const { $defs = {}, ...document } = JSON.parse(sourceText('mappings/mapping.schema.json'));
  return [
    '# Mapping language',
    'Every member of a payload mapping, from its [JSON Schema](/files/mappings/mapping.schema.json). [Payload mappings](/payload-mappings) explains the language.',
    '## Document',
    schemaText(document),
    namedSchemas($defs, 2),
    '',
  ].join('\n\n');
}

function readyMadeMappingsPage(): string {
  const names = readdirSync(join(ROOT, 'mappings'))
    .filter((name) => name.endsWith('.yaml'))
    .sort();
  return [
    '# Ready-made mappings',
    'Each is a document to start with, as it stands in the folder `mappings`. [Bring your fleet](/how-to/bring-your-fleet) says how to use one.',
    ...names.map((name) => {
      const text = sourceText(`mappings/${name}`);
      const { mapping, description } = parse(text);
      return `## ${mapping}\n\n${description.trim()}\n\n\`\`\`yaml\n${text.trim()}\n\`\`\``;
    }),
    '',
  ].join('\n\n');
}

function configurationPage(): string {
  const { $schema: _, ...stage } = JSON.parse(sourceText('infra/cdk/stages/stage.schema.json'));
  return [
    '# Configuration',
    'Three places hold settings: flags of commands, a file for each stage on AWS, and variables of the environment of each process. Flags stand in the [command line](/reference/cli).',
    '## Settings of a stage',
    'Types, bounds and defaults, from the JSON Schema of the file. [On AWS](/deploy#deploy) says what each setting does.',
    schemaText(stage),
    '## Variables of the environment',
    'Set by `twinstream start` and by the stacks; a process of your own sets them itself. A faulty value stops the process with `INVALID_CONFIGURATION`, which names every faulty variable and the expected value.',
    environmentTable(PROCESSES),
    '',
  ].join('\n\n');
}

function decisionsPage(): string {
  const folder = 'docs/adr';
  const names = readdirSync(join(ROOT, folder)).sort();
  const rows = names.map((name) => {
    const text = sourceText(`${folder}/${name}`);
    const status = /^\*\*Status:\*\* (.+)$/m.exec(text)?.[1] ?? '';
    const [, number = '', title = ''] = /^(\d+)\. (.*)$/.exec(titleOf(text, name)) ?? [];
    return [
      number,
      `[${title}](/adr/${name.replace('.md', '')})`,
      status.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1'),
    ];
  });
  return [
    '# Decisions',
    'Each page says what was decided, why, and what follows from it.',
    markdownTable(['number', 'decision', 'status'], rows),
    '',
  ].join('\n\n');
}
