// A reason not to start, in one sentence that says what to do; the command line prints it without a stack.
export function startupError(message: string, cause?: unknown): Error {
  const error = new Error(message, { cause })
  error.name = 'StartupError'
  return error
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
