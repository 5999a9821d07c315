export { type AdoptHost, adoptCommand, adoptProgram } from './adopt-command.ts';
