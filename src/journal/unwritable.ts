import { errorDocument, Fault } from '../fault.js';

/** Whatever the file system says becomes an error for people. @throws Fault `state.unwritable`, and any other Fault as it is */
export function guarded<Value>(path: string | null, act: () => Value): Value {
  try {
    return act();
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault(
      'state.unwritable',
      `The state directory cannot be used (${path}): ${errorDocument(error).message}`,
      {
        hint: 'Without a journal nothing is changed. Free space or mend the rights, or set "stateDir".',
        cause: error,
      },
    );
  }
}
