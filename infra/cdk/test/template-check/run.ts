/**
 * Holds the synthesized templates to cfn-lint and checkov (PyPI): `npm run templates:check`. Every finding is mended, or explained in
 * `explained-findings.ts`; an explanation of nothing fails, too. Where PyPI or Python cannot be had, a scanner says so and is skipped.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Context, FULL, makeStacks, PLANNED, removeApps } from '../templates.ts';
import { EXPLANATIONS, type Finding, judge } from './explained-findings.ts';
import { SCANNERS, scan } from './scanners.ts';

/** The service that answers for large fleets, in the stage whose workload is stated. */
const FLEET_SERVICE: Context = {
  fleetApi: 'service',
  jwtIssuer: 'https://issuer.example',
  jwtAudience: 'dashboard',
};

const STAGES: Readonly<Record<string, Context>> = {
  full: FULL,
  planned: { ...PLANNED, ...FLEET_SERVICE },
  smallest: {},
};

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Files of all templates of a stage. */
function synthesize(outdir: string, context: Context): string[] {
  makeStacks(context, { outdir }).app.synth();
  return readdirSync(outdir)
    .filter((file) => file.endsWith('.template.json'))
    .map((file) => join(outdir, file));
}

async function check(folder: string): Promise<boolean> {
  const files = Object.entries(STAGES).flatMap(([name, context]) => synthesize(join(folder, name), context));
  const findings: Finding[] = [];
  let skipped = 0;
  for (const scanner of SCANNERS) {
    const result = await scan(scanner, files);
    if (result.outcome === 'skipped') {
      skipped += 1;
      say(`${scanner.name} skipped: ${result.reason}`);
      continue;
    }
    say(`${scanner.name}: ${result.findings.length} findings in ${files.length} templates`);
    findings.push(...result.findings);
  }
  const { unexplained, stale } = judge(findings);
  for (const { check: id, resource, file, message } of unexplained)
    say(`${id} ${resource} (${file}): ${message}`);
  // What a skipped scanner would have found is not known.
  const unneeded = skipped > 0 ? [] : stale;
  for (const { check: id, resources } of unneeded) say(`${id} ${resources}: explains nothing, remove it`);
  if (unexplained.length + unneeded.length > 0) return false;
  if (skipped < SCANNERS.length) say(`every finding is explained (${EXPLANATIONS.length} explanations)`);
  return true;
}

const folder = mkdtempSync(join(tmpdir(), 'twinstream-templates-'));
try {
  process.exitCode = (await check(folder)) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
  removeApps();
}
