import { jsonSchema } from '../config/schema.js';
import { EXIT } from '../fault.js';
import type { Command } from './context.js';

export const schema: Command<object> = async (context) => {
  const document = { title: 'pbs-ctl config', ...jsonSchema() };
  context.answer(document, JSON.stringify(document, null, 2));
  return EXIT.done;
};
