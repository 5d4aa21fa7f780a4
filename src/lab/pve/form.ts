/**
 * A query or form as Perl's server takes it apart: at `&` and at `;`, of each part only what stands between
 * its first and second `=`; a repeated key becomes a list, an empty value counts as not given.
 */
export function readPerlForm(form: string): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  for (const pair of form.replace(/^\?/, '').split(/[&;]/)) {
    if (pair === '') continue;
    const [name = '', value = ''] = pair.split('=').map(decoded);
    if (name === '_dc') continue;
    const given = value === '' ? null : value;
    const before = params[name];
    params[name] = before === undefined ? given : [before, given].flat();
  }
  return params;
}

function decoded(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
