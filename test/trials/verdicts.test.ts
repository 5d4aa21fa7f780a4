import { describe, it } from 'vitest';
import { judgeVerdicts } from '../../trials/verdicts.js';
import { pbsCtl } from '../support/in-process.js';

// One of what `npm run trial:verdicts` tries by the hundred.

describe('what recover, windows and status say of a run that was stopped', () => {
  it.concurrent('while it verifies agrees with what patch then does', async ({ expect }) => {
    const { violations } = await judgeVerdicts('healthy', 'verify', pbsCtl);
    expect(violations).toEqual([]);
  });
});
