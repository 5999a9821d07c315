import { EXCLUDED_MUTATORS } from './mutants.ts';
import type { Judged, Score } from './score.ts';

const TEXT_MAX = 240;

const short = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > TEXT_MAX ? `${line.slice(0, TEXT_MAX)}…` : line;
};

const survivor = ({ mutant, outcome }: Judged): string =>
  `${mutant.file}:${mutant.line}:${mutant.column} ${mutant.mutator}${outcome === 'not-covered' ? ' (no test executes it)' : ''}
  - ${short(mutant.code)}
  + ${short(mutant.becomes)}
`;

/** Survivors one by one, then the score. */
export function reportText(workspace: string, score: Score, unused: ReadonlyMap<string, string>): string {
  const { survivors, stale } = score;
  const notCoveredCount = survivors.filter(({ outcome }) => outcome === 'not-covered').length;
  return [
    ...survivors.map(survivor),
    ...[...unused].map(([test, error]) => `not used, fails without a mutant: ${test}: ${short(error)}\n`),
    ...stale.map(
      ({ file, code, becomes }) =>
        `equivalent, but no such mutant survived: ${file}: ${short(code)} → ${short([becomes].flat().join(' | '))}\n`,
    ),
    `${workspace}: ${score.percent.toFixed(1)} % (${score.noticedCount} of ${score.noticedCount + survivors.length} mutants noticed; `,
    `${survivors.length} survived, ${notCoveredCount} of them executed by no test; ${score.equivalentCount} equivalent; ${score.notTriedCount} run only while modules load and were not tried; `,
    `mutators: all but ${EXCLUDED_MUTATORS.join(', ')})\n`,
  ].join('');
}
