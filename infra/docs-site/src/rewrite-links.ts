import { posix } from 'node:path';
import { proseLines } from './headings.ts';

/** Where a link of the repository leads on the site; undefined where the site has no such thing. */
export type LinkResolver = (target: {
  readonly path: string;
  readonly anchor?: string;
}) => string | undefined;

/**
 * Rewrites the links and images of a document, which are relative to its place in the repository, to those of the site. Links to other sites, links of the site
 * (those that begin with a slash), and what stands in code stay. Throws where a link leads nowhere.
 */
export function rewriteLinks(text: string, source: string, resolve: LinkResolver): string {
  const lines = text.split('\n');
  const isProse = proseLines(lines);
  return lines.map((line, index) => (isProse[index] ? rewriteLine(line, source, resolve) : line)).join('\n');
}

function rewriteLine(line: string, source: string, resolve: LinkResolver): string {
  return line.replaceAll(/(`[^`]*`)|\]\(([^)\s]+)\)/g, (whole: string, code?: string, target = '') => {
    if (code !== undefined || /^(?:[a-z]+:|\/)/.test(target)) return whole;
    const [file = '', anchor] = target.split('#');
    const path = file === '' ? source : posix.normalize(posix.join(posix.dirname(source), file));
    const link = resolve({
      path: path.replace(/\/$/, ''),
      ...(anchor === undefined ? {} : { anchor }),
    });
    if (link === undefined) throw new Error(`${source}: the link ${target} leads nowhere`);
    return `](${link})`;
  });
}
