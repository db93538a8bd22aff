// Decides what `npm start` looks like: a calm line for each part, a bar that moves in place on a terminal and not elsewhere.
export interface Output {
  line(text?: string): void
  /** A part that is there now, with what it took. */
  part(name: string, detail: string): void
  problem(text: string): void
  /** `fraction` from 0 to 1. */
  progress(label: string, fraction: number): void
  /** Ends a bar with its last word. */
  done(text: string): void
}

const BAR_CELLS = 24
const STEP = 0.25

const bar = (fraction: number): string => {
  const full = Math.round(fraction * BAR_CELLS)
  return `${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)}`
}

export const terminalOutput = (stream: NodeJS.WriteStream): Output => {
  const paint = (code: number, text: string): string =>
    stream.isTTY && !process.env['NO_COLOR'] ? `\x1b[${code}m${text}\x1b[0m` : text
  const erase = (): void => {
    if (stream.isTTY) stream.write('\r\x1b[2K')
  }
  let shown = ''

  return {
    line(text = '') {
      erase()
      stream.write(`${text}\n`)
    },
    part(name, detail) {
      erase()
      stream.write(`  ${paint(32, '✓')} ${name.padEnd(10)} ${paint(2, detail)}\n`)
    },
    problem(text) {
      erase()
      stream.write(`  ${paint(31, '✗')} ${text}\n`)
    },
    progress(label, fraction) {
      const percent = `${Math.floor(fraction * 100)} %`
      if (stream.isTTY) {
        stream.write(`\r\x1b[2K  ${bar(fraction)} ${percent.padStart(5)}  ${label}`)
        return
      }
      // Elsewhere a line for each quarter is enough.
      const step = `${label} ${Math.floor(fraction / STEP)}`
      if (step !== shown) stream.write(`  ${percent.padStart(5)}  ${label}\n`)
      shown = step
    },
    done(text) {
      erase()
      stream.write(`  ${paint(32, '✓')} ${text}\n`)
    },
  }
}
