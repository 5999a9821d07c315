import { signal } from '@preact/signals';

const MEDIUM = matchMedia('(width >= 68rem)');
const WIDE = matchMedia('(width >= 100rem)');
const room = signal(0);

function measure(): void {
  room.value = WIDE.matches ? 2 : MEDIUM.matches ? 1 : 0;
}
measure();
MEDIUM.addEventListener('change', measure);
WIDE.addEventListener('change', measure);

/** Whether the window is at least so wide. */
export function hasRoom(from: 'medium' | 'wide' | undefined): boolean {
  return room.value >= (from === 'wide' ? 2 : from === 'medium' ? 1 : 0);
}
