/** A page of the site: where its text has its home, or which generated page it is. */
export interface SitePage {
  /** Path on the site: `/how-to/add-an-alarm`. A group's index ends in a slash. */
  readonly path: string;
  /** Path in the repository; absent for a generated page. */
  readonly source?: string;
  /** What the navigation calls it; by default its title. */
  readonly label?: string;
}

/** A group of the navigation. */
export interface PageGroup {
  readonly title: string;
  readonly pages: readonly SitePage[];
  /** Folder of the repository whose further documents follow, in the order of their names. */
  readonly folder?: string;
  readonly isCollapsed?: boolean;
}

const page = (path: string, source: string, label?: string): SitePage => ({
  path,
  source,
  ...(label === undefined ? {} : { label }),
});
const generated = (path: string, label?: string): SitePage => ({
  path,
  ...(label === undefined ? {} : { label }),
});
const readme = (name: string): SitePage =>
  page(`/packages/${name}`, `infra/packages/${name}/README.md`, name);

/** Sections of the runbook that somebody looks up, each a page of the reference. */
export const RUNBOOK_SECTIONS = [
  { title: 'Exit codes', path: '/reference/exit-codes' },
  { title: 'Metrics of the projector', path: '/reference/metrics' },
  { title: 'Reasons of quarantine', path: '/reference/reasons-of-quarantine' },
  { title: 'Differences that verify finds', path: '/reference/differences' },
  { title: 'Error codes', path: '/reference/error-codes' },
] as const;

/** Every page but the home page, in the order of the navigation. */
export const NAVIGATION: readonly PageGroup[] = [
  {
    title: 'Start',
    pages: [page('/get-started', 'docs/get-started.md'), page('/comparison', 'docs/comparison.md')],
  },
  {
    title: 'Tutorials',
    pages: [page('/how-to/bring-your-fleet', 'docs/how-to/bring-your-fleet.md')],
    folder: 'docs/tutorials',
  },
  {
    title: 'How-to guides',
    pages: [page('/deploy', 'docs/deploy.md'), page('/runbook', 'docs/runbook.md')],
    folder: 'docs/how-to',
  },
  {
    title: 'Reference',
    pages: [
      generated('/reference/cli'),
      generated('/reference/http-api'),
      page('/event-format', 'docs/event-format.md'),
      page('/payload-mappings', 'docs/payload-mappings.md'),
      generated('/reference/mapping-language'),
      generated('/mappings'),
      generated('/reference/configuration'),
      ...RUNBOOK_SECTIONS.map(({ title, path }) => generated(path, title)),
      page('/sample-recordings', 'producers/device-simulator/samples/README.md'),
      page('/glossary', 'docs/glossary.md'),
    ],
  },
  {
    title: 'Explanation',
    pages: [
      page('/architecture', 'docs/architecture.md'),
      page('/delivery-semantics', 'docs/delivery-semantics.md'),
      page('/capacity-and-cost', 'docs/capacity-and-cost.md'),
      page('/measurements', 'docs/measurements.md'),
      page('/security', 'docs/security.md'),
    ],
  },
  {
    title: 'Packages',
    pages: ['twinstream', 'stream-producer', 'local-kinesis', 'kpl-aggregation', 'cdk-constructs'].map(
      readme,
    ),
  },
  {
    title: 'Decisions',
    pages: [generated('/adr/', 'All decisions')],
    folder: 'docs/adr',
    isCollapsed: true,
  },
  {
    title: 'Project',
    pages: [
      page('/contributing', 'CONTRIBUTING.md'),
      page('/style-guide', 'docs/style-guide.md'),
      page('/changelog', 'CHANGELOG.md'),
      page('/security-policy', 'SECURITY.md'),
    ],
  },
];
