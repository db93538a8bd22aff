// How the tests run: rules first, then whole flows, two at a time on two cores; browsers last and alone, since they play in real time.
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
            'tests/{core,http,host,encode,protect,deliver,fleet,webhooks,azure}/**/*.test.ts',
          ],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'flow',
          sequence: { groupOrder: 1 },
          include: ['tests/flow/**/*.test.ts'],
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'browser',
          sequence: { groupOrder: 2 },
          include: ['tests/browser/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
