import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // For what would never end: a busy machine is no reason to fail.
    testTimeout: 300_000,
    hookTimeout: 120_000,
    // More workers than cores: the end-to-end tests spend most of their time waiting for simulated machines.
    maxWorkers: 3,
    maxConcurrency: 5,
    // One process for many files: what they import is loaded once. None of them changes what the others see.
    isolate: false,
    // The built product is loaded as node loads it.
    server: { deps: { external: [/\/dist\//] } },
  },
});
