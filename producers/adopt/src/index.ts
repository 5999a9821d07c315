export { type AdoptHost, adoptCommand } from './adopt-command.ts';
