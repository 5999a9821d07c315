import { fileURLToPath } from 'node:url';

/** The repository. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Pages as VitePress reads them: copies with the links of the site, and generated pages. Made again by every build. */
export const PAGES_FOLDER = fileURLToPath(new URL('../dist/pages/', import.meta.url));
/** The built site: static files for any web server. */
export const SITE_FOLDER = fileURLToPath(new URL('../dist/site/', import.meta.url));
