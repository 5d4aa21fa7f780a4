import { defineConfig } from 'vitest/config';

// The tests on a real guest: one VM at a time, since each takes both cores of a small machine.
export default defineConfig({
  test: {
    include: ['test/real-guest/**/*.guest.ts'],
    globalSetup: ['test/real-guest/setup.ts'],
    testTimeout: 600_000,
    hookTimeout: 300_000,
    maxWorkers: 1,
    fileParallelism: false,
    reporters: ['verbose'],
  },
});
