// How the tests run: rules first, in parallel; whole flows and browsers one after another, since they share two cores.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    globalSetup: ['tests/support/programs.ts'],
    projects: [
      {
        test: {
          name: 'rules',
          sequence: { groupOrder: 0 },
          maxWorkers: 2,
          include: [
            'tests/*.test.ts',
            'tests/{core,http,host,encode,protect,deliver,webhooks,azure}/**/*.test.ts',
          ],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'flow',
          sequence: { groupOrder: 1 },
          include: ['tests/{flow,browser}/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
