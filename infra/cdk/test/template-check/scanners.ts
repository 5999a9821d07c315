import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { pythonTool } from '../../src/python/python-tool.ts';
import type { Finding } from './explained-findings.ts';

const run = promisify(execFile);
const SCAN_MS_MAX = 600_000;
const REPORT_BYTES_MAX = 64 * 1024 * 1024;

interface Scanner {
  readonly name: string;
  /** Name and exact version in the Python package index. */
  readonly requirement: string;
  readonly args: (files: readonly string[]) => readonly string[];
  /** Findings of a report. Throws when the text is not a report. */
  readonly read: (report: string) => Finding[];
}

export type ScanResult =
  | { readonly outcome: 'scanned'; readonly findings: readonly Finding[] }
  | { readonly outcome: 'skipped'; readonly reason: string };

const cfnLintReport = z.array(
  z.object({
    Filename: z.string(),
    Message: z.string(),
    Location: z.object({ Path: z.array(z.union([z.string(), z.number()])).nullable() }),
    Rule: z.object({ Id: z.string() }),
  }),
);

const checkovReport = z.object({
  results: z.object({
    failed_checks: z.array(
      z.object({
        check_id: z.string(),
        check_name: z.string(),
        resource: z.string(),
        file_path: z.string(),
      }),
    ),
  }),
  summary: z.object({ parsing_errors: z.literal(0), resource_count: z.number().min(1) }),
});

export const SCANNERS: readonly Scanner[] = [
  {
    // Holds templates to the resource schemas of CloudFormation.
    name: 'cfn-lint',
    requirement: 'cfn-lint==1.58.0',
    args: (files) => ['--format', 'json', '--', ...files],
    read: (report) =>
      cfnLintReport.parse(JSON.parse(report)).map(({ Filename, Message, Location, Rule }) => ({
        check: Rule.Id,
        resource: String(Location.Path?.[1] ?? ''),
        file: Filename,
        message: Message,
      })),
  },
  {
    // Holds resources to rules of hardening.
    name: 'checkov',
    requirement: 'checkov==3.3.30',
    args: (files) => [
      ...['--framework', 'cloudformation', '--quiet', '--compact', '--skip-download', '--output', 'json'],
      ...['--file', ...files],
    ],
    read: (report) =>
      checkovReport.parse(JSON.parse(report)).results.failed_checks.map((one) => ({
        check: one.check_id,
        resource: one.resource.split('.').slice(1).join('.'),
        file: one.file_path,
        message: one.check_name,
      })),
  },
];

/** Runs a scanner over templates. Throws when the scanner itself fails. */
export async function scan(scanner: Scanner, files: readonly string[]): Promise<ScanResult> {
  const { name, requirement } = scanner;
  const tool = await pythonTool(requirement, name);
  if (!tool.isThere) return { outcome: 'skipped', reason: tool.reason };
  // Both end with a code above 0 where they find anything.
  const said = await run(join(tool.binDir, name), [...scanner.args(files)], {
    timeout: SCAN_MS_MAX,
    maxBuffer: REPORT_BYTES_MAX,
  }).catch((error: { stdout?: unknown; stderr?: unknown }) => error);
  try {
    return { outcome: 'scanned', findings: scanner.read(String(said.stdout)) };
  } catch (cause) {
    throw new Error(`${name} wrote no report: ${String(said.stderr)}`, { cause });
  }
}
