/** What a server shows its clients, in PEM. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
  /** Certificate of the authority that issued `cert`, for clients to trust. Its key is not kept. */
  readonly ca: string;
}

const DAY_MS = 86_400_000;
/** Long enough for a server that runs for weeks; a restart makes another. */
const VALID_MS = 365 * DAY_MS;

/**
 * Makes an authority and a certificate for `localhost`, its subdomains and 127.0.0.1, which are valid from a day ago, since clocks differ.
 * A certificate in the repository would have a key that everybody knows, and would expire.
 */
export async function makeTlsIdentity(nowMs: number): Promise<TlsIdentity> {
  // Node can read certificates and not issue any. Loaded when a server has a TLS port, which few have.
  const { generate } = await import('selfsigned');
  const common = {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(nowMs - DAY_MS),
    notAfterDate: new Date(nowMs + VALID_MS),
  } as const;
  const authority = await generate([{ name: 'commonName', value: 'local-kinesis authority' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 2, value: '*.localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { key: server.private, cert: server.cert, ca: authority.cert };
}
