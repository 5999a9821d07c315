import { createHash } from 'node:crypto';
import { getDocs, OPERATIONS, openApiDocument } from '@twinstream/api-contract';
import { endpoint } from '../endpoint.ts';

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h2 { margin-top: 2.5rem; font-size: 1.1rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: 0.3rem 0.6rem 0.3rem 0; border-bottom: 1px solid #8884; text-align: left; vertical-align: top; }
pre { padding: 0.6rem; overflow-x: auto; background: #8882; }
`;
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; frame-ancestors 'none'`;

interface Described {
  readonly name?: string;
  readonly in?: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: { readonly default?: unknown; readonly enum?: readonly string[] };
}
interface DescribedOperation {
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly Described[];
  readonly responses: Readonly<Record<string, Described>>;
  readonly requestBody?: unknown;
}

let page: string | undefined;

/** The contract for people: every operation with its parameters, its answers and an example, in one page without scripts. */
export const docsEndpoint = endpoint(getDocs, async (_request, { identifiesCallers }) => {
  page ??= pageOf(openApiDocument(OPERATIONS, { version: '1.0.0', identifiesCallers }));
  return new Response(page, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'content-security-policy': POLICY,
    },
  });
});

function pageOf(document: ReturnType<typeof openApiDocument>): string {
  const paths = document.paths as Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  const sections = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => sectionOf(path, method, described)),
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Twinstream query API</title><style>${STYLE}</style></head><body><main><h1>Twinstream query API</h1><p>${proseOf((document.info as Described).description ?? '')}</p><p>For tools: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>${sections.join('')}</main></body></html>`;
}

function sectionOf(path: string, method: string, described: DescribedOperation): string {
  const { summary, description = '', parameters, responses } = described;
  const rows = parameters.map(({ name = '', in: place = '', required, description: what = '', schema }) => {
    const standard = schema?.default === undefined ? '' : ` Default: ${JSON.stringify(schema.default)}.`;
    const values = schema?.enum === undefined ? '' : ` One of ${schema.enum.join(', ')}.`;
    return `<tr><th scope="row"><code>${escaped(name)}</code></th><td>${place}${required ? ', required' : ''}</td><td>${proseOf(what + values + standard)}</td></tr>`;
  });
  const answers = Object.entries(responses).map(
    ([status, { description: what = '' }]) =>
      `<tr><th scope="row">${status}</th><td>${proseOf(what)}</td></tr>`,
  );
  return [
    `<section><h2><code>${method.toUpperCase()} ${escaped(path)}</code></h2><p>${proseOf(`${summary}. ${description}`.trim())}</p>`,
    rows.length === 0 ? '' : `<table><caption>Parameters</caption><tbody>${rows.join('')}</tbody></table>`,
    `<table><caption>Answers</caption><tbody>${answers.join('')}</tbody></table>`,
    `<pre>${escaped(exampleOf(path, method, described))}</pre></section>`,
  ].join('');
}

const EXAMPLE_VALUES: Readonly<Record<string, string>> = { attribute: 'batteryPercent', from: 'now-1h' };

function exampleOf(path: string, method: string, { parameters, requestBody }: DescribedOperation): string {
  const query = parameters
    .filter((parameter) => parameter.in === 'query' && parameter.required)
    .map(({ name = '' }) => `${name}=${EXAMPLE_VALUES[name] ?? name}`)
    .join('&');
  const body =
    requestBody === undefined
      ? ''
      : ` \\\n  -H 'Content-Type: application/json' -H 'Idempotency-Key: fix-1' \\\n  -d '{"data":{"speedMph":17},"reason":"a digit too many","actor":"ann"}'`;
  const url = `http://127.0.0.1:8080${path.replace('{deviceId}', 'bus-2619')}${query === '' ? '' : `?${query}`}`;
  return `curl${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} '${url}'${body}`;
}

/** Text in which words between backticks are code. */
function proseOf(text: string): string {
  return escaped(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
