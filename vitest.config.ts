// How the tests run: rules first, then whole flows and browsers side by side, since what those count is frames, not time.
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './tests/support/order.ts'
import { pureFiles } from './tests/support/pure.ts'

/** Two more than there are cores: a file waits for leases, machines and pictures about half of its time. */
const maxWorkers = Math.min(4, availableParallelism() + 2)

/** What a test polls for may come late on a busy machine; how late is never what it asks. */
const patience = { poll: { timeout: 60_000 } }

export default defineConfig({
  test: {
    globalSetup: ['tests/support/programs.ts'],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'rules',
          sequence: { groupOrder: 0 },
          maxWorkers,
          include: [
            'tests/*.test.ts',
            'tests/{core,http,host,encode,protect,deliver,fleet,webhooks,azure}/**/*.test.ts',
          ],
          exclude: pureFiles,
          expect: patience,
          testTimeout: 480_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          name: 'pure',
          // Each process goes from file to file: they leave no trace in it.
          sequence: { groupOrder: 0 },
          maxWorkers,
          include: pureFiles,
          isolate: false,
          expect: patience,
          testTimeout: 240_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'flow',
          sequence: { groupOrder: 1 },
          include: ['tests/flow/**/*.test.ts'],
          maxWorkers,
          expect: patience,
          testTimeout: 600_000,
          hookTimeout: 400_000,
        },
      },
      {
        test: {
          name: 'browser',
          sequence: { groupOrder: 1 },
          include: ['tests/browser/**/*.test.ts'],
          maxWorkers,
          expect: patience,
          testTimeout: 600_000,
          hookTimeout: 400_000,
        },
      },
    ],
  },
})
