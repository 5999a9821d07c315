import { existsSync } from 'node:fs';

export const CHROMIUM_CANDIDATES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** The browser of this machine (`CHROMIUM_PATH`, or where Debian installs it), or undefined. */
export const chromiumPath = [process.env.CHROMIUM_PATH ?? '', ...CHROMIUM_CANDIDATES].find((path) =>
  existsSync(path),
);

/** Without a screen, a graphics card, or a wish to talk to anyone. */
export const CHROMIUM_ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
