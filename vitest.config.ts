import { defineConfig } from 'vitest/config'

const ring = (name: string, include: string[], extra: Record<string, unknown> = {}) => ({
  test: {
    name,
    include,
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    ...extra,
  },
})

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      ring('unit', [
        '{shared,edge,devices,cloud,commands,.ci}/**/*.test.ts',
        'tests/*.test.ts',
        'tests/support/*.test.ts',
      ]),
      ring('conformance', ['tests/conformance/**/*.test.ts']),
      ring('acceptance', ['tests/acceptance/*.test.ts'], {
        testTimeout: 180_000,
        hookTimeout: 180_000,
        fileParallelism: false,
      }),
      ring('chaos', ['tests/chaos/**/*.test.ts'], {
        testTimeout: 600_000,
        hookTimeout: 180_000,
        fileParallelism: false,
      }),
      ring('browser', ['tests/acceptance/web/**/*.test.ts'], {
        testTimeout: 300_000,
        hookTimeout: 180_000,
      }),
    ],
  },
})
