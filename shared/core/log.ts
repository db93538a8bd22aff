// What a log line is: a level, an event that never varies, and fields that hold no secret.
export type LogLevel = 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>
/** `event` is a static dotted literal such as `upload.completed`; ids and codes go into `fields`, URLs never do. */
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void

const secret = /token|secret|authorization|signature|apikey|url|sas|password/i

export function logLine(event: string, fields: LogFields = {}): string {
  const shown = Object.entries(fields).map(([name, value]) => [name, secret.test(name) ? '•••' : value])
  return JSON.stringify({ event, ...Object.fromEntries(shown) })
}

export const consoleLog: Log = (level, event, fields) => console[level](logLine(event, fields))

export const silentLog: Log = () => {}
