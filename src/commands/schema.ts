import { z } from 'zod';
import { config } from '../config/schema.js';
import { EXIT } from '../fault.js';
import type { Command } from './context.js';

/** JSON Schema of the config file, made from the definition that checks it. */
export function jsonSchema(): unknown {
  return { title: 'pbs-ctl config', ...z.toJSONSchema(config, { io: 'input', unrepresentable: 'any' }) };
}

export const schema: Command<object> = async (context) => {
  context.answer(jsonSchema(), JSON.stringify(jsonSchema(), null, 2));
  return EXIT.done;
};
