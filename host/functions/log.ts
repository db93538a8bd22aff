// Which log lines are written, and how: one line each to stderr, filtered by `host.json` as the real host does.
const levels = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'] as const
export type Level = (typeof levels)[number]
export type Log = (level: Level, category: string, message: string) => void

export interface LogOptions {
  /** `logging.logLevel` of host.json: category prefix to lowest level written. */
  readonly lowest: Readonly<Record<string, string>>
  readonly write?: (line: string) => void
}

export function createLog({ lowest, write = (line) => process.stderr.write(line) }: LogOptions): Log {
  return (level, category, message) => {
    if (rank(level) < rank(lowestFor(category, lowest))) return
    write(`${new Date().toISOString()} ${level.padEnd(11)} ${category}  ${message.trimEnd()}\n`)
  }
}

/** The longest dotted prefix of the category that has an entry wins. */
function lowestFor(category: string, lowest: Readonly<Record<string, string>>): string {
  const parts = category.split('.')
  for (let count = parts.length; count > 0; count--) {
    const level = lowest[parts.slice(0, count).join('.')]
    if (level) return level
  }
  return lowest['default'] ?? 'information'
}

function rank(level: string): number {
  const index = levels.indexOf(level.toLowerCase() as Level)
  return index < 0 ? levels.indexOf('information') : index
}
