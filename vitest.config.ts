import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores: one worker each. The end-to-end tests spend their time in child processes.
    maxWorkers: 2,
    maxConcurrency: 4,
  },
});
