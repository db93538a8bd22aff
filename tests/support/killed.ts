// kill -9, where what is hit may have ended by itself a moment ago: a part does, once its supervisor is gone.
/** A negative id is a whole group's. */
export function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
