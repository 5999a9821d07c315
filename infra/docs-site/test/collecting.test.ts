import { describe, expect, test } from 'vitest';
import { headings } from '../src/headings.ts';
import { rewriteLinks } from '../src/rewrite-links.ts';
import { pageGroups, unlistedDocuments } from '../src/site-pages.ts';
import { splitSections } from '../src/split-sections.ts';

describe('links of the repository', () => {
  const resolve = ({ path, anchor }: { readonly path: string; readonly anchor?: string }) =>
    path === 'docs/gone.md' ? undefined : `/${path}${anchor === undefined ? '' : `#${anchor}`}`;

  test('become links of the site, from the place of their document', () => {
    const text = 'See [a](../glossary.md#page), [b](#here), ![c](../images/c.png).';
    expect(rewriteLinks(text, 'docs/how-to/x.md', resolve)).toBe(
      'See [a](/docs/glossary.md#page), [b](/docs/how-to/x.md#here), ![c](/docs/images/c.png).',
    );
  });

  test('stay where they lead to another site, are links of the site, or stand in code', () => {
    const text = '[a](https://example.com/) [b](/adr/) `[c](d.md)`\n```sh\n[e](f.md)\n```';
    expect(rewriteLinks(text, 'docs/x.md', resolve)).toBe(text);
  });

  test('fail where they lead nowhere', () => {
    expect(() => rewriteLinks('[a](gone.md)', 'docs/x.md', resolve)).toThrow(
      'docs/x.md: the link gone.md leads nowhere',
    );
  });
});

describe('sections of a long document', () => {
  const text = '# A\n\n## B\n\nb\n\n### C\n\n```sh\n## no heading\n```\n\n## D\n\nd';

  test('become pages whose headings rise by one level, and are linked where they stood', () => {
    const [rest, page] = splitSections({ path: '/a', text }, [{ title: 'B', path: '/b' }]);
    expect(rest).toEqual({ path: '/a', text: '# A\n\n## B\n\nSee [B](/b).\n\n## D\n\nd' });
    expect(page).toEqual({ path: '/b', text: '# B\n\nb\n\n## C\n\n```sh\n## no heading\n```\n' });
  });

  test('fail where the document has none of that name', () => {
    expect(() => splitSections({ path: '/a', text }, [{ title: 'E', path: '/e' }])).toThrow(
      '/a has no section "E"',
    );
  });
});

test('headings have the anchors of GitHub, and those in code are none', () => {
  const found = headings('# A `code`, and more\n```sh\n# no\n```\n## Twice\n## Twice\n');
  expect(found.map(({ anchor }) => anchor)).toEqual(['a-code-and-more', 'twice', 'twice-1']);
});

describe('the navigation', () => {
  test('names every document below docs', () => {
    expect(unlistedDocuments(pageGroups())).toEqual([]);
  });

  test('would be seen to lack one', () => {
    const groups = pageGroups().filter(({ title }) => title !== 'Explanation');
    expect(unlistedDocuments(groups)).toContain('docs/architecture.md');
  });

  test('has a page once', () => {
    const paths = pageGroups().flatMap(({ pages }) => pages.map(({ path }) => path));
    expect(new Set(paths).size).toBe(paths.length);
  });
});
