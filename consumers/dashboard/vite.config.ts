import { defineConfig } from 'vite';

const API = process.env.TWINSTREAM_API_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  // Relative addresses: the built page works under any path, and from S3 as from the local server.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    // Browsers that know light-dark(), @starting-style and Iterator helpers: those of the last two years.
    target: ['chrome123', 'firefox121', 'safari17.5'],
    // A data: address would need a laxer Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { host: '127.0.0.1', proxy: { '/v1': API, '/healthz': API } },
});
