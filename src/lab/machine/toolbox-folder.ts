import { fileURLToPath } from 'node:url';

/**
 * Folder of the stand-ins: beside this file, in src as in dist. The single-file build puts a module in the
 * place of this one that unpacks them.
 */
export const TOOLBOX = fileURLToPath(new URL('./toolbox/', import.meta.url)).replace(/\/$/, '');
