import { prolonging, type TokenFacts } from '../api/account.js';
import type { Product } from '../api/token.js';
import { tokenEnd } from '../rules/token-end.js';
import { block, type Judgement, warn } from './check.js';

/** A token that ends soon, or in the middle of a run; null where it does not, or that may not be seen. */
export function whetherItEnds(
  {
    product,
    token,
    where,
    facts,
  }: { product: Product; token: string; where: string; facts: TokenFacts | null },
  now: number,
  takes: number,
): Judgement | null {
  if (!facts) return null;
  const { status, words, soon } = tokenEnd(facts, now, takes);
  if (status === 'pass') return null;
  const prolong = prolonging(product, token);
  const fixes = [{ where, commands: soon.map((who) => prolong[who]) }];
  const before = status === 'block' ? ', before a run would be over' : '';
  return { ...(status === 'block' ? block : warn)(`${token} ${words}${before}`), fixes };
}

/** Both in one line: the status is the worse of them. */
export function withEnding(judged: Judgement, ending: Judgement | null): Judgement {
  if (!ending) return judged;
  const status = [judged.status, ending.status].includes('block') ? 'block' : 'warn';
  const summary = judged.status === 'pass' ? ending.summary : `${judged.summary}; ${ending.summary}`;
  return { ...judged, status, summary, fixes: [...(judged.fixes ?? []), ...(ending.fixes ?? [])] };
}
