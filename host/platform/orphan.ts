// Decides that a part of the platform, and whatever it started, does not outlive its supervisor.
import { fstatSync } from 'node:fs'

const GRACE_MS = 3_000

/**
 * The supervisor holds the other end of standard input. When it is killed the kernel closes that pipe; the
 * part may end gently, but at the end of the grace its whole process group (ffmpeg is in it) is gone.
 */
export const endGroupWithParent = (): void => {
  const stdin = fstatSync(0)
  if (!stdin.isFIFO() && !stdin.isSocket()) return
  const endGroup = (): void => {
    try {
      process.kill(-process.pid, 'SIGKILL')
    } catch {
      process.exit(1) // It does not lead a group, so there is only itself.
    }
  }
  process.stdin.once('close', () => {
    setTimeout(endGroup, GRACE_MS)
    process.once('exit', endGroup)
  })
}
