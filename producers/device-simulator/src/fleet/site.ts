/** A place where devices are. */
export interface Site {
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
}

export const SITES: readonly Site[] = [
  { name: 'austin', latitude: 30.2672, longitude: -97.7431 },
  { name: 'bergen', latitude: 60.3913, longitude: 5.3221 },
  { name: 'durban', latitude: -29.8587, longitude: 31.0218 },
  { name: 'hamburg', latitude: 53.5511, longitude: 9.9937 },
  { name: 'osaka', latitude: 34.6937, longitude: 135.5023 },
  { name: 'porto', latitude: 41.1579, longitude: -8.6291 },
  { name: 'pune', latitude: 18.5204, longitude: 73.8567 },
  { name: 'quito', latitude: -0.1807, longitude: -78.4678 },
];
